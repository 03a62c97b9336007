{{- /* Names of the service's own pods; they never change, because a Deployment's selector cannot. */}}
{{- define "service.selector" -}}
app.kubernetes.io/name: {{ .Release.Name }}
app.kubernetes.io/component: service
{{- end }}

{{- /* Labels of every object of the service. Nothing can take the selector's away. */}}
{{- define "service.labels" -}}
{{ mergeOverwrite (include "service.commonLabels" . | fromYaml) (include "service.selector" . | fromYaml) | toYaml }}
{{- end }}

{{- define "service.podLabels" -}}
{{ mergeOverwrite (deepCopy .Values.labels) .Values.podLabels (include "service.selector" . | fromYaml) | toYaml }}
{{- end }}

{{- define "service.commonLabels" -}}
{{- $own := dict "app.kubernetes.io/instance" .Release.Name "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | set $own "helm.sh/chart" -}}
{{ mergeOverwrite $own .Values.labels | toYaml }}
{{- end }}

{{- define "service.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else if $image.tag -}}
{{ $image.repository }}:{{ $image.tag }}
{{- else -}}
{{ $image.repository }}
{{- end -}}
{{- end }}

{{- define "service.accountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default .Release.Name }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- /* Name of the first port that speaks HTTP; empty when there is none. */}}
{{- define "service.httpPort" -}}
{{- range $index, $port := .Values.ports -}}
{{- if and (has $port.protocol (list "http" "https")) (not (get $ "found")) -}}
{{- $_ := set $ "found" true -}}{{ $port.name }}
{{- end -}}
{{- end -}}
{{- $_ := unset $ "found" -}}
{{- end }}

{{- define "service.httpScheme" -}}
{{- $name := include "service.httpPort" . -}}
{{- range .Values.ports -}}{{- if eq .name $name -}}{{ .protocol | upper }}{{- end -}}{{- end -}}
{{- end }}

{{- /* A look at a path, or at the first port when there is no path or nothing that speaks HTTP. */}}
{{- define "service.look" -}}
{{- $root := .root -}}
{{- $http := include "service.httpPort" $root -}}
{{- if and .path $http -}}
httpGet:
  path: {{ .path | quote }}
  port: {{ $http }}
  scheme: {{ include "service.httpScheme" $root }}
{{- else -}}
tcpSocket:
  port: {{ (first $root.Values.ports).name }}
{{- end -}}
{{- end }}

{{- define "service.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
{{- end }}
{{- with .Values.runAsGroup }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "service.securityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* Variables, files and folders: the same for the service and for its verify Job. */}}
{{- define "service.surroundings" -}}
env:
  - name: TRIBUTARY_INSTANCE
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- if .Values.identity.enabled }}
  - name: TRIBUTARY_TOKEN_FILE
    value: /var/run/secrets/tributary/token
  {{- end }}
  {{- range $name, $value := .Values.env }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- if or .Values.envFromSecrets .Values.envFromConfigMaps }}
envFrom:
  {{- range .Values.envFromConfigMaps }}
  - configMapRef:
      name: {{ . }}
  {{- end }}
  {{- range .Values.envFromSecrets }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
volumeMounts:
  - name: scratch
    mountPath: /tmp
    subPath: tmp
  {{- range $index, $path := .Values.writablePaths }}
  - name: scratch
    mountPath: {{ $path | quote }}
    subPath: {{ printf "writable-%d" $index }}
  {{- end }}
  {{- range $index, $mount := .Values.mounts }}
  - name: {{ printf "mount-%d" $index }}
    mountPath: {{ $mount.path | quote }}
    readOnly: true
  {{- end }}
  {{- if .Values.identity.enabled }}
  - name: identity
    mountPath: /var/run/secrets/tributary
    readOnly: true
  {{- end }}
{{- end }}

{{- define "service.volumes" -}}
- name: scratch
  emptyDir:
    sizeLimit: {{ .Values.scratchSize }}
{{- range $index, $mount := .Values.mounts }}
- name: {{ printf "mount-%d" $index }}
  {{- if $mount.secret }}
  secret:
    secretName: {{ $mount.secret }}
  {{- else }}
  configMap:
    name: {{ $mount.configMap }}
  {{- end }}
{{- end }}
{{- if .Values.identity.enabled }}
- name: identity
  projected:
    sources:
      - serviceAccountToken:
          audience: {{ .Values.identity.audience }}
          expirationSeconds: {{ int64 .Values.identity.expirationSeconds }}
          path: token
{{- end }}
{{- end }}
