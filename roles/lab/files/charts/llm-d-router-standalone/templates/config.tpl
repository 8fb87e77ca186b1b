apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "router.epp" . }}
  namespace: {{ .Release.Namespace }}
data:
  default-plugins.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins:
      - type: queue-scorer
      - type: kv-cache-utilization-scorer
      - type: prefix-cache-scorer
    schedulingProfiles:
      - name: default
        plugins:
          - {pluginRef: queue-scorer, weight: 2}
          - {pluginRef: kv-cache-utilization-scorer, weight: 2}
          - {pluginRef: prefix-cache-scorer, weight: 3}
  {{- with .Values.router.epp.pluginsCustomConfig }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if .Values.router.proxy.enabled }}
{{- $proxy := include "router.proxy" . | fromYaml }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $proxy.configMap.name }}
  namespace: {{ .Release.Namespace }}
data:
  {{- if eq (include "router.proxyType" .) "envoy" }}
  envoy.yaml: |
    static_resources:
      listeners:
        - name: vllm
          address: {socket_address: {address: 0.0.0.0, port_value: 8081}}
          filter_chains:
            - filters:
                - name: envoy.filters.network.http_connection_manager
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                    stat_prefix: http-8081
                    http_filters:
                      - name: envoy.filters.http.ext_proc
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
                          failure_mode_allow: {{ .Values.router.proxy.failOpen }}
                          grpc_service: {envoy_grpc: {cluster_name: ext_proc}}
      clusters:
        - name: original_destination_cluster
          type: ORIGINAL_DST
          lb_policy: CLUSTER_PROVIDED
          original_dst_lb_config: {use_http_header: true, http_header_name: x-gateway-destination-endpoint}
        - name: ext_proc
          type: {{ ternary "STRICT_DNS" "STATIC" (eq (include "router.ownProxy" .) "yes") }}
          load_assignment:
            cluster_name: ext_proc
            endpoints:
              - lb_endpoints:
                  - endpoint:
                      address:
                        socket_address:
                          address: {{ include "router.pickerHost" . }}
                          port_value: {{ .Values.router.epp.extProcPort | default 9002 }}
  {{- else }}
  config.yaml: |
    config: {readinessAddr: "0.0.0.0:15021"}
    binds:
      - port: 8081
        listeners:
          - name: default
            protocol: HTTP
            routes:
              - name: standalone-epp
                backends:
                  - service: {name: {{ .Release.Namespace }}/{{ .Release.Name }}, port: {{ include "router.targetPorts" . | splitList "," | first }}}
                    policies:
                      inferenceRouting:
                        endpointPicker: {host: "127.0.0.1:{{ .Values.router.epp.extProcPort | default 9002 }}"}
                        destinationMode: passthrough
  {{- end }}
{{- end }}
