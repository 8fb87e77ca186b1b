{{- range $key := list "etcd" "grove" "kai-scheduler" }}
{{- if hasKey (default (dict) (index $.Values $key)) "enabled" }}
{{- fail (printf "%s.enabled is no value of this chart any more: set global.%s.install" $key $key) }}
{{- end }}
{{- end }}
{{- range $key := list "grove" "kai-scheduler" }}
{{- $asked := index $.Values.global $key }}
{{- if or $asked.install $asked.enabled }}
{{- fail (printf "global.%s: the lab's chart has no stand-in for it" $key) }}
{{- end }}
{{- end }}
