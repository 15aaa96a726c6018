// Package charts runs the suites in the charts' tests/ by helm-unittest, which is built with Helm 3. It asks kubeconform about everything
// that the pinned Helm 4 renders, with the schemas of the oldest and the newest Kubernetes that are tested. Nothing is taken from the
// network but Go modules.
package charts

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/yaml"
)

const chart = "../seatkeeper"

// values are values of the chart.
type values = map[string]any

// helm is the pinned one.
func helm(t *testing.T) string {
	t.Helper()
	folder := strings.TrimSpace(output(t, "../../tests/control-plane/build.sh", "--where"))
	for _, folder := range []string{os.Getenv("KUBEBUILDER_ASSETS"), folder} {
		path := filepath.Join(folder, "helm")
		if _, err := os.Stat(path); err == nil && folder != "" {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no helm: make control-plane")
	}
	t.Skip("there is no helm: make control-plane")
	return ""
}

// render is `helm template` for a release of Kubernetes.
func render(t *testing.T, chart string, with values, version string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.json")
	put(t, file, with)
	home := t.TempDir()
	command := exec.Command(helm(t), "template", "seatkeeper", chart, "--namespace", "seatkeeper-system", "--kube-version", version, "--values", file)
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	printed, err := command.Output()
	if exit, failed := err.(*exec.ExitError); failed {
		return "", fmt.Errorf("%s", exit.Stderr)
	}
	return string(printed), err
}

func rendered(t *testing.T, chart string, with values, version string) string {
	t.Helper()
	text, err := render(t, chart, with, version)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// set sets the value at a path such as image.tag.
func set(in values, path string, to any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, is := in[key].(values)
		if !is {
			inner = values{}
			in[key] = inner
		}
		in = inner
	}
	in[keys[len(keys)-1]] = to
}

// all are values that turn on every object and set every value: most at once, and the others one by one.
func all(t *testing.T) map[string]values {
	t.Helper()
	var cases []struct {
		Value  string
		To     any
		Beside map[string]any
		Alone  bool
	}
	read(t, "../../tests/support/tests/chart/cases.yaml", &cases)
	together := values{}
	every := map[string]values{"defaults": {}, "together": together}
	for _, one := range cases {
		if one.Alone {
			alone := values{}
			for key, value := range one.Beside {
				alone[key] = value
			}
			set(alone, one.Value, one.To)
			every[one.Value] = alone
		} else {
			set(together, one.Value, one.To)
		}
	}
	relabeling := []any{values{"action": "labeldrop", "regex": "node"}}
	monitor := values{
		"enabled": true, "labels": values{"release": "prom"}, "namespace": "monitoring", "interval": "30s", "scrapeTimeout": "10s",
		"relabelings": relabeling, "metricRelabelings": relabeling,
	}
	set(together, "metrics.serviceMonitor", monitor)
	every["metrics.podMonitor"] = values{"metrics": values{"podMonitor": monitor}}
	together["alerts"] = values{
		"enabled": true, "labels": values{"release": "prom"}, "namespace": "monitoring", "ruleLabels": values{"team": "it"},
		"namePrefix": "Seatkeeper", "keepFiringFor": "5m", "operatorSelector": `job="seatkeeper"`,
	}
	together["dashboard"] = values{"enabled": true, "annotations": values{"grafana_folder": "Licenses"}, "namespace": "monitoring"}
	if len(cases) < 60 || len(every) < 15 {
		t.Fatalf("%d cases and %d renderings: does this still read cases.yaml?", len(cases), len(every))
	}
	return every
}

// crds are those whose objects the charts and the examples have: the project's own and those of the Prometheus Operator.
func crds(t *testing.T) []string {
	t.Helper()
	prometheus := strings.TrimSpace(output(t, "../../tests/prometheus/crds.sh"))
	var paths []string
	for _, pattern := range []string{"../../crds/*.yaml", prometheus + "/*_*monitors.yaml", prometheus + "/*_prometheusrules.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

func kubeconform(t *testing.T, of kubernetes) validator.Validator {
	t.Helper()
	conform, err := validator.New([]string{schemas(t, of, crds(t))}, validator.Opts{Strict: true, KubernetesVersion: of.minor() + ".0"})
	if err != nil {
		t.Fatal(err)
	}
	return conform
}

// refused says of each object what is wrong with it, and counts the objects of each kind that are right.
func refused(conform validator.Validator, text string, kinds map[string]int) []string {
	var wrong []string
	for _, result := range conform.Validate("rendered", io.NopCloser(strings.NewReader(text))) {
		signature, _ := result.Resource.Signature()
		switch result.Status {
		case validator.Valid:
			kinds[signature.Kind]++
		case validator.Empty:
		default:
			wrong = append(wrong, fmt.Sprintf("%s: %v", signature.QualifiedName(), result.Err))
		}
	}
	return wrong
}

func TestEveryObjectOfTheChartsAndTheExamplesIsValidForTheOldestAndTheNewestKubernetes(t *testing.T) {
	every := all(t)
	examples, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	for _, release := range releases(t) {
		t.Run(release.minor(), func(t *testing.T) {
			conform, kinds := kubeconform(t, release), map[string]int{}
			check := func(what, text string) {
				for _, wrong := range refused(conform, text, kinds) {
					t.Errorf("%s: %s", what, wrong)
				}
			}
			for name, with := range every {
				check(name, rendered(t, chart, with, release.Version))
			}
			check("CRDs", rendered(t, "../seatkeeper-crds", values{"commonLabels": values{"team": "it"}}, release.Version))
			for _, example := range examples {
				text, err := os.ReadFile(example)
				if err != nil {
					t.Fatal(err)
				}
				check(example, string(text))
			}
			for _, kind := range []string{
				"ClusterRole", "ClusterRoleBinding", "ConfigMap", "CustomResourceDefinition", "Deployment", "LicenseSeats", "NetworkPolicy",
				"Pod", "PodDisruptionBudget", "PodMonitor", "PrometheusRule", "Role", "RoleBinding", "SeatApproval", "Secret", "Service",
				"ServiceAccount", "ServiceMonitor", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
			} {
				if kinds[kind] == 0 {
					t.Errorf("no %s was checked: %v", kind, kinds)
				}
				delete(kinds, kind)
			}
			if len(kinds) > 0 {
				t.Errorf("list these kinds here: %v", kinds)
			}
		})
	}
}

// free are the fields whose value is a map with any keys.
var free = []string{"annotations", "data", "labels", "limits", "matchLabels", "nodeSelector", "openAPIV3Schema", "requests", "selector"}

// misspell calls with the object once for each field in it, while that field has another name.
func misspell(object any, at string, call func(path string)) {
	switch object := object.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(object)) {
			value := object[key]
			delete(object, key)
			object["x"+key] = value
			call(at + "." + key)
			delete(object, "x"+key)
			object[key] = value
			if names, of := value.(map[string]any); !of || names["matchLabels"] != nil || !slices.Contains(free, key) {
				misspell(value, at+"."+key, call)
			}
		}
	case []any:
		for index, item := range object {
			misspell(item, fmt.Sprintf("%s[%d]", at, index), call)
		}
	}
}

func TestEachFieldOfEachObjectIsRefusedWhenItIsMisspelled(t *testing.T) {
	together := all(t)["together"]
	for _, release := range releases(t) {
		t.Run(release.minor(), func(t *testing.T) {
			conform, misspelled := kubeconform(t, release), 0
			for _, document := range strings.Split("\n"+rendered(t, chart, together, release.Version), "\n---") {
				var object map[string]any
				if err := yaml.Unmarshal([]byte(document), &object); err != nil {
					t.Fatal(err)
				}
				refusal := func() error {
					text, err := yaml.Marshal(object)
					if err != nil {
						t.Fatal(err)
					}
					return conform.ValidateResource(resource.Resource{Bytes: text}).Err
				}
				misspell(object, fmt.Sprint(object["kind"]), func(path string) {
					if refusal() == nil {
						t.Errorf("%s has another name, and nothing is said", path)
					}
					misspelled++
				})
				if err := refusal(); err != nil {
					t.Errorf("as it is: %v", err)
				}
			}
			if misspelled < 500 {
				t.Errorf("only %d fields", misspelled)
			}
		})
	}
}

func TestKubernetesOlderThanTheOldestIsRefused(t *testing.T) {
	for _, chart := range both {
		_, err := render(t, chart, values{}, "1.32.9")
		if err == nil || !strings.Contains(err.Error(), "chart requires kubeVersion: >=1.33.0-0") {
			t.Errorf("%s: %v", chart, err)
		}
	}
}
