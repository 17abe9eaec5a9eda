{{- /* A part's name: release and part, with what a name may not hold made a dash. */ -}}
{{- define "bellhop.name" -}}
{{- printf "%s-%s" .root.Release.Name .part | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "bellhop.selector" -}}
app.kubernetes.io/name: bellhop
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .route }}
bellhop/route: {{ . }}
{{- end }}
{{- end -}}

{{- define "bellhop.labels" -}}
{{ include "bellhop.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* A deployment. root; part: its name; component; route; command; replicas, null where KEDA says it; port, probed and
scraped; host: the setting that says where it listens; own: its section of the values; preStop: seconds. */ -}}
{{- define "bellhop.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "bellhop.name" . }}
  labels: {{- include "bellhop.labels" . | nindent 4 }}
spec:
  {{- if .replicas }}
  replicas: {{ .replicas }}
  {{- end }}
  selector:
    matchLabels: {{- include "bellhop.selector" . | nindent 6 }}
  strategy:
    {{- if eq .component "console" }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
  template:
    metadata:
      labels: {{- include "bellhop.labels" . | nindent 8 }}
      annotations:
        # A change of the settings is a new pod: they are read once, at the start.
        checksum/settings: {{ .root.Values.settings | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/port: {{ .port | quote }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .root.Release.Name }}-bellhop
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: {{ .own.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      containers:
        - name: bellhop
          image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{ toJson .command }}
          env:
            - {name: BELLHOP_CONFIG, value: /etc/bellhop/bellhop.toml}
            - {name: {{ .host }}__HOST, value: "0.0.0.0"}
            - {name: {{ .host }}__PORT, value: {{ .port | quote }}}
            {{- range .root.Values.secrets }}
            - {name: {{ .setting }}_FILE, value: /run/secrets/bellhop/{{ .setting }}}
            {{- end }}
            {{- range $name, $value := .root.Values.environment }}
            - {name: {{ $name }}, value: {{ $value | quote }}}
            {{- end }}
          ports:
            - {name: http, containerPort: {{ .port }}, protocol: TCP}
          # It may migrate the ledger first.
          startupProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          {{- if .preStop }}
          lifecycle:
            # Until nobody sends it anything new.
            preStop: {sleep: {seconds: {{ .preStop }}}}
          {{- end }}
          resources: {{- toYaml .own.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: settings, mountPath: /etc/bellhop, readOnly: true}
            - {name: tmp, mountPath: /tmp}
            - {name: work, mountPath: /var/lib/bellhop}
            {{- if .root.Values.secrets }}
            - {name: secrets, mountPath: /run/secrets/bellhop, readOnly: true}
            {{- end }}
      volumes:
        - name: settings
          configMap: {name: {{ .root.Release.Name }}-bellhop}
        - {name: tmp, emptyDir: {}}
        - {name: work, emptyDir: {}}
        {{- if .root.Values.secrets }}
        - name: secrets
          projected:
            defaultMode: 0440
            sources:
              {{- range .root.Values.secrets }}
              - secret: {name: {{ .secret }}, items: [{key: {{ .key | quote }}, path: {{ .setting }}}]}
              {{- end }}
        {{- end }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "bellhop.selector" . | nindent 14 }}
{{- end -}}

{{- define "bellhop.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "bellhop.name" . }}
  labels: {{- include "bellhop.labels" . | nindent 4 }}
spec:
  type: {{ .own.service.type }}
  selector: {{- include "bellhop.selector" . | nindent 4 }}
  ports:
    - {name: http, port: {{ .own.service.port }}, targetPort: http, protocol: TCP}
{{- end -}}

{{- /* minAvailable where the part must never be away; else one at a time may be. */ -}}
{{- define "bellhop.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "bellhop.name" . }}
  labels: {{- include "bellhop.labels" . | nindent 4 }}
spec:
  {{- if .minAvailable }}
  minAvailable: {{ .minAvailable }}
  {{- else }}
  maxUnavailable: 1
  {{- end }}
  selector:
    matchLabels: {{- include "bellhop.selector" . | nindent 6 }}
{{- end -}}
