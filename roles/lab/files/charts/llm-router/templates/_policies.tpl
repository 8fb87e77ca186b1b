{{/* The policies of a list of models: (list context api-base models), models by routerController.config.models' keys. */}}
{{- define "router.policies" -}}
{{- $models := index . 2 -}}
policies:
  - name: "task_router"
    url: http://{{ include "router.fullname" (index . 0) }}-router-server:8000/v2/models/task_router_ensemble/infer
    llms:
      {{- include "router.llm" (list "Brainstorming" (index . 1) $models.brainstorming) | nindent 6 }}
      {{- include "router.llm" (list "Chatbot" (index . 1) $models.chatbot) | nindent 6 }}
      {{- include "router.llm" (list "Classification" (index . 1) $models.classification) | nindent 6 }}
      {{- include "router.llm" (list "Closed QA" (index . 1) $models.closedQA) | nindent 6 }}
      {{- include "router.llm" (list "Code Generation" (index . 1) $models.codeGeneration) | nindent 6 }}
      {{- include "router.llm" (list "Extraction" (index . 1) $models.extraction) | nindent 6 }}
      {{- include "router.llm" (list "Open QA" (index . 1) $models.openQA) | nindent 6 }}
      {{- include "router.llm" (list "Other" (index . 1) $models.other) | nindent 6 }}
      {{- include "router.llm" (list "Rewrite" (index . 1) $models.rewrite) | nindent 6 }}
      {{- include "router.llm" (list "Summarization" (index . 1) $models.summarization) | nindent 6 }}
      {{- include "router.llm" (list "Text Generation" (index . 1) $models.textGeneration) | nindent 6 }}
      {{- include "router.llm" (list "Unknown" (index . 1) $models.unknown) | nindent 6 }}
  - name: "complexity_router"
    url: http://{{ include "router.fullname" (index . 0) }}-router-server:8000/v2/models/complexity_router_ensemble/infer
    llms:
      {{- include "router.llm" (list "Creativity" (index . 1) $models.creativity) | nindent 6 }}
      {{- include "router.llm" (list "Reasoning" (index . 1) $models.reasoning) | nindent 6 }}
      {{- include "router.llm" (list "Contextual-Knowledge" (index . 1) $models.contextualKnowledge) | nindent 6 }}
      {{- include "router.llm" (list "Few-Shot" (index . 1) $models.fewShot) | nindent 6 }}
      {{- include "router.llm" (list "Domain-Knowledge" (index . 1) $models.domainKnowledge) | nindent 6 }}
      {{- include "router.llm" (list "No-Label-Reason" (index . 1) $models.noLabelReason) | nindent 6 }}
      {{- include "router.llm" (list "Constraint" (index . 1) $models.constraint) | nindent 6 }}
{{- end -}}

{{/* A class: (list name api-base model). */}}
{{- define "router.llm" -}}
- name: {{ index . 0 }}
  api_base: {{ index . 1 }}
  api_key: ${NVIDIA_API_KEY}
  model: {{ index . 2 }}
{{- end -}}
