module cluster.test/crds

go 1.24.0

require (
	github.com/argoproj/argo-cd/v3 v3.2.6
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
