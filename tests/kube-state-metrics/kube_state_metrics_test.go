// Package kubestatemetrics gives docs/kube-state-metrics.yaml and the objects of gitops/argocd to the library of kube-state-metrics, and
// reads what it would serve.
package kubestatemetrics

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/kube-state-metrics/v2/pkg/customresourcestate"
	"k8s.io/kube-state-metrics/v2/pkg/metric"
	generator "k8s.io/kube-state-metrics/v2/pkg/metric_generator"
	metricsstore "k8s.io/kube-state-metrics/v2/pkg/metrics_store"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

const states = "../../gitops/argocd/seatkeeper.dev/LicenseSeats/testdata"

func object(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(json); err != nil {
		t.Fatal(err)
	}
	return &object
}

// served is what kube-state-metrics serves of an object, line by line.
func served(t *testing.T, object *unstructured.Unstructured) []string {
	t.Helper()
	file, err := os.Open("../../docs/kube-state-metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// kube-state-metrics ignores what it does not know. A field that is misspelled is to be noticed here.
	decoder := goyaml.NewDecoder(file)
	decoder.KnownFields(true)
	var config struct {
		Kind                        string `yaml:"kind"`
		customresourcestate.Metrics `yaml:",inline"`
	}
	if err := decoder.Decode(&config); err != nil {
		t.Fatal(err)
	}
	if len(config.Spec.Resources) != 1 {
		t.Fatalf("%+v", config)
	}
	resource := config.Spec.Resources[0]
	for i := range resource.Metrics {
		// As kube-state-metrics does after it has read the file.
		each := &resource.Metrics[i].Each
		each.Type = metric.Type(strings.ToLower(string(each.Type)))
	}
	factory, err := customresourcestate.NewCustomResourceMetrics(resource)
	if err != nil {
		t.Fatal(err)
	}
	families := factory.MetricFamilyGenerators()
	store := metricsstore.NewMetricsStore(generator.ExtractMetricFamilyHeaders(families), generator.ComposeMetricGenFuncs(families))
	if err := store.Add(object); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := metricsstore.NewMetricsWriter(factory.Name(), store).WriteAll(&text); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(text.String()), "\n")
}

// series are the values by family and labels, as `seats_free name="acme" namespace="it"`.
func series(t *testing.T, lines []string) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	for _, line := range lines {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := regexp.MustCompile(`^seatkeeper_(\w+)\{(.*)\} (\S+)$`).FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("%q is no series", line)
		}
		labels := regexp.MustCompile(`\w+="[^"]*"`).FindAllString(parts[2], -1)
		slices.Sort(labels)
		value, err := strconv.ParseFloat(parts[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		series[parts[1]+" "+strings.Join(labels, " ")] = value
	}
	return series
}

func set(t *testing.T, in *unstructured.Unstructured, to any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(in.Object, to, path...); err != nil {
		t.Fatal(err)
	}
}

func TestObjectWithEveryNumberHasASeriesForEach(t *testing.T) {
	full := object(t, states+"/held-window.yaml")
	set(t, full, int64(101), "status", "billed")
	set(t, full, "2026-12-31T00:00:00Z", "status", "license", "expiresAt")
	set(t, full, "2026-12-01T06:00:00Z", "status", "nextWindow", "opensAt")
	const own, product = `name="acme" namespace="it" product="Seats"`, `vendor="acme"`
	expected := map[string]float64{
		"pending_change " + `name="acme" namespace="it" product="Seats" reason="AwaitingWindow" vendor="acme"`: 1,
	}
	for name, value := range map[string]float64{
		"seats_desired": 150, "seats_purchased": 100, "seats_used": 80, "seats_free": 20, "seats_limit": 100, "seats_billed": 101,
		"license_expiry_timestamp_seconds": 1798675200, "next_window_timestamp_seconds": 1796104800,
		"last_observation_timestamp_seconds": 1795348800,
	} {
		expected[name+" "+own+" "+product] = value
	}
	for kind, is := range map[string]string{
		"Ready": `reason="ChangeDeferred" status="True"`, "CredentialsValid": `reason="Authenticated" status="True"`,
		"LicenseValid": `reason="NotReported" status="Unknown"`, "SeatShortage": `reason="Sufficient" status="False"`,
		"ChangePending": `reason="AwaitingWindow" status="True"`,
	} {
		expected[fmt.Sprintf("condition %s %s type=%q %s", own, is, kind, product)] = 1
	}
	lines := served(t, full)
	if found := series(t, lines); !reflect.DeepEqual(found, expected) {
		t.Errorf("%v, not %v:\n%s", found, expected, strings.Join(lines, "\n"))
	}
}

func TestEveryStateHasASeriesForEachConditionAndForTheNumbersThatItKnows(t *testing.T) {
	paths, err := filepath.Glob(states + "/*.yaml")
	if err != nil || len(paths) < 50 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		object := object(t, path)
		families := map[string]int{}
		for of := range series(t, served(t, object)) {
			family, _, _ := strings.Cut(of, " ")
			families[family]++
		}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		expected := map[string]int{}
		if len(conditions) > 0 {
			expected["condition"] = len(conditions)
		}
		for _, condition := range conditions {
			if condition.(map[string]any)["type"] == "ChangePending" {
				expected["pending_change"] = 1
			}
		}
		for family, field := range map[string][]string{
			"seats_desired": {"desired"}, "seats_purchased": {"seats"}, "seats_used": {"used"}, "seats_free": {"free"}, "seats_limit": {"limit"},
			"seats_billed": {"billed"}, "last_observation_timestamp_seconds": {"lastObservedAt"},
			"license_expiry_timestamp_seconds": {"license", "expiresAt"}, "next_window_timestamp_seconds": {"nextWindow", "opensAt"},
		} {
			if _, known, _ := unstructured.NestedFieldNoCopy(object.Object, append([]string{"status"}, field...)...); known {
				expected[family] = 1
			}
		}
		if !reflect.DeepEqual(families, expected) {
			t.Errorf("%s: %v, not %v", filepath.Base(path), families, expected)
		}
	}
}

func TestPageNamesTheVersionOfKubeStateMetrics(t *testing.T) {
	texts := map[string]string{}
	for _, path := range []string{"go.mod", "../../docs/alerts.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	version := regexp.MustCompile(`k8s.io/kube-state-metrics/v2 v(\d+\.\d+)\.`).FindStringSubmatch(texts["go.mod"])
	if version == nil || !strings.Contains(texts["../../docs/alerts.md"], "kube-state-metrics "+version[1]) {
		t.Errorf("docs/alerts.md does not name kube-state-metrics %v", version)
	}
}
