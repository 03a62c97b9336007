{{- define "tributary.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: tributary
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Selects the pods of a part: (dict "root" $ "part" "gateway") */}}
{{- define "tributary.selector" -}}
app.kubernetes.io/name: tributary
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "tributary.name" -}}
{{ printf "%s-%s" (trunc 40 .root.Release.Name | trimSuffix "-") .part }}
{{- end }}

{{- define "tributary.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "tributary.secretName" -}}
{{ .Values.existingSecret | default (include "tributary.name" (dict "root" . "part" "bootstrap")) }}
{{- end }}

{{- define "tributary.configCenterUrl" -}}
http://{{ include "tributary.name" (dict "root" . "part" "config-center") }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:7400
{{- end }}

{{- define "tributary.previewUrl" -}}
{{ .Values.previews.url | default "http://{environment}.localhost:7480" }}
{{- end }}

{{- define "tributary.isEmbedded" -}}
{{- if eq .Values.store.kind "embedded" }}yes{{ end -}}
{{- end }}

{{/* The name of an account as TokenReview and RBAC know it: (dict "root" $ "part" "gateway") */}}
{{- define "tributary.user" -}}
system:serviceaccount:{{ .root.Release.Namespace }}:{{ include "tributary.name" . }}
{{- end }}

{{- define "tributary.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ int64 .Values.runAsUser }}
runAsGroup: {{ int64 .Values.runAsGroup }}
fsGroup: {{ int64 .Values.runAsGroup }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "tributary.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What all pods have in common above their containers: (dict "root" $ "part" "gateway") */}}
{{- define "tributary.podSpec" -}}
{{- with .root.Values -}}
serviceAccountName: {{ include "tributary.name" $ }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "tributary.podSecurityContext" $.root | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tributary.podMetadata" -}}
labels:
  {{- include "tributary.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .part }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (.annotations | default dict) .root.Values.podAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Pods of one part should not all be on one node. */}}
{{- define "tributary.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tributary.selector" . | nindent 8 }}
{{- end }}

{{/* Variables of the store: TRIBUTARY_STORE and what goes with it. */}}
{{- define "tributary.storeEnv" -}}
{{- if .Values.store.encryption.secret }}
- { name: TRIBUTARY_STORE_KEY_FILE, value: /etc/tributary/encryption/store-key }
{{- end }}
{{- if not (include "tributary.isEmbedded" .) }}
{{- with .Values.store.etcd }}
- { name: TRIBUTARY_STORE, value: etcd }
- { name: TRIBUTARY_ETCD_ENDPOINTS, value: {{ join "," .endpoints | quote }} }
{{- if .ca }}
- { name: TRIBUTARY_ETCD_CA_FILE, value: /etc/tributary/etcd/ca.crt }
{{- end }}
{{- if .clientCertificate }}
- { name: TRIBUTARY_ETCD_CERT_FILE, value: /etc/tributary/etcd/tls.crt }
- { name: TRIBUTARY_ETCD_KEY_FILE, value: /etc/tributary/etcd/tls.key }
{{- end }}
{{- if .credentials }}
- { name: TRIBUTARY_ETCD_PASSWORD_FILE, value: /etc/tributary/etcd/password }
- name: TRIBUTARY_ETCD_USERNAME
  valueFrom:
    secretKeyRef: { name: {{ required "store.etcd.secret is needed for credentials" .secret }}, key: username }
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tributary.storeMount" -}}
{{- if and (not (include "tributary.isEmbedded" .)) .Values.store.etcd.secret }}
- { name: etcd, mountPath: /etc/tributary/etcd, readOnly: true }
{{- end }}
{{- if .Values.store.encryption.secret }}
- { name: encryption, mountPath: /etc/tributary/encryption, readOnly: true }
{{- end }}
{{- end }}

{{- define "tributary.storeVolume" -}}
{{- if and (not (include "tributary.isEmbedded" .)) .Values.store.etcd.secret }}
- name: etcd
  secret: { secretName: {{ .Values.store.etcd.secret }}, defaultMode: 0440 }
{{- end }}
{{- if .Values.store.encryption.secret }}
- name: encryption
  secret:
    secretName: {{ .Values.store.encryption.secret }}
    defaultMode: 0440
    items:
      - { key: store-key, path: store-key }
{{- end }}
{{- end }}

{{/* The folder /data: (dict "root" $ "part" "config-center") */}}
{{- define "tributary.dataVolume" -}}
- name: data
{{- if and (include "tributary.isEmbedded" .root) .root.Values.persistence.enabled }}
  persistentVolumeClaim: { claimName: {{ include "tributary.name" . }} }
{{- else }}
  emptyDir: {}
{{- end }}
{{- end }}

{{/* A token of the pod's own account for the config center, which the kubelet rotates. */}}
{{- define "tributary.identityVolume" -}}
- name: identity
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: tributary
          expirationSeconds: 3600
          path: token
{{- end }}

{{/* The account's token for the API server: only the pods that talk to it have it. */}}
{{- define "tributary.apiVolume" -}}
- name: api
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          expirationSeconds: 3607
          path: token
      - configMap:
          name: kube-root-ca.crt
          items:
            - { key: ca.crt, path: ca.crt }
      - downwardAPI:
          items:
            - path: namespace
              fieldRef: { fieldPath: metadata.namespace }
{{- end }}

{{- define "tributary.httpProbes" -}}
startupProbe:
  httpGet: { path: /healthz, port: {{ .port }} }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 120
livenessProbe:
  httpGet: { path: /healthz, port: {{ .port }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: {{ .port }} }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 3
{{- end }}

{{/* Objects of the cluster bear the namespace too: two releases of one name may live in two. */}}
{{- define "tributary.clusterName" -}}
{{ printf "%s.%s" .root.Release.Namespace (include "tributary.name" .) }}
{{- end }}
