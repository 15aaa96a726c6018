// Package gitops asks Argo CD's scripts, Flux's expressions and kstatus about every state that an object can be in. The states are
// those of src/domain/tests/states.rs, which writes them to the testdata of the scripts.
package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const kind = "../argocd/seatkeeper.dev/LicenseSeats"

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func object(t *testing.T, path string) map[string]any {
	t.Helper()
	var object map[string]any
	read(t, path, &object)
	return object
}

// states are the objects of testdata by name.
func states(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(kind + "/testdata/*.yaml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d states: %v", len(files), err)
	}
	states := map[string]map[string]any{}
	for _, file := range files {
		states[strings.TrimSuffix(filepath.Base(file), ".yaml")] = object(t, file)
	}
	return states
}

func names[V any](of map[string]V) []string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func healthOf(t *testing.T, object map[string]any) health {
	t.Helper()
	result, err := run(kind+"/health.lua", object, nil)
	if err != nil {
		t.Fatal(err)
	}
	table := result.(map[string]any)
	return health{table["status"].(string), table["message"].(string)}
}

// kstatusOf is what Flux and Helm make of an object.
func kstatusOf(t *testing.T, object map[string]any) status.Status {
	t.Helper()
	copied := (&unstructured.Unstructured{Object: integers(object).(map[string]any)}).DeepCopy()
	result, err := status.Compute(copied)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

// integers are what a client of Kubernetes has in the place of YAML's floats.
func integers(value any) any {
	switch value := value.(type) {
	case float64:
		if value == float64(int64(value)) {
			return int64(value)
		}
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = integers(item)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for key, item := range value {
			object[key] = integers(item)
		}
		return object
	}
	return value
}

// fluxOf is what Flux makes of an object by the expressions. Flux waits while a verdict is unknown, and while there is an error.
func fluxOf(t *testing.T, object map[string]any) (status.Status, error) {
	t.Helper()
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	read(t, "../flux/licenseseats.yaml", &kustomization)
	reader, err := cel.NewStatusReader(kustomization.Spec.HealthCheckExprs)
	if err != nil {
		t.Fatal(err)
	}
	copied := (&unstructured.Unstructured{Object: integers(object).(map[string]any)}).DeepCopy()
	result, err := reader(nil).ReadStatusForObject(t.Context(), nil, copied)
	if err != nil {
		t.Fatal(err)
	}
	return result.Status, result.Error
}

func TestArgoFluxAndKstatusGiveOneVerdictForEveryState(t *testing.T) {
	argo := map[status.Status]string{
		status.CurrentStatus: "Healthy", status.InProgressStatus: "Progressing", status.FailedStatus: "Degraded",
	}
	seen := map[status.Status]int{}
	for name, object := range states(t) {
		verdict := kstatusOf(t, object)
		seen[verdict]++
		if health := healthOf(t, object); health.Status != argo[verdict] || health.Message == "" {
			t.Errorf("%s: kstatus says %s, and Argo CD %+v", name, verdict, health)
		}
		if flux, err := fluxOf(t, object); flux != verdict || err != nil {
			t.Errorf("%s: kstatus says %s, and Flux's expressions %s: %v", name, verdict, flux, err)
		}
	}
	for verdict := range argo {
		if seen[verdict] < 5 {
			t.Errorf("only %d states are %s", seen[verdict], verdict)
		}
	}
}

func TestChangeThatWaitsForItsTimeOrForAPersonsYesIsNoFailure(t *testing.T) {
	states := states(t)
	for _, name := range []string{
		"held-suspended", "held-window", "held-window-missed", "held-approval", "held-denied", "held-never-made", "standby",
		"held-deferred-pool", "held-drift-reported", "in-sync-exhausted", "observed",
	} {
		if verdict := kstatusOf(t, states[name]); verdict != status.CurrentStatus {
			t.Errorf("%s is %s", name, verdict)
		}
	}
	for _, name := range []string{"held-guard-rail", "spec-invalid", "prune-blocked", "secret-not-found-2-minutes"} {
		if verdict := kstatusOf(t, states[name]); verdict != status.FailedStatus {
			t.Errorf("%s is %s", name, verdict)
		}
	}
}

// Objects without any status: stored before the CRD had its default, or stripped of it by another tool. kstatus calls them current.
func TestObjectWithoutAnyStatusIsProgressingToArgoAndUnknownToFluxWhichWaits(t *testing.T) {
	object := states(t)["new"]
	delete(object, "status")
	if health := healthOf(t, object); health.Status != "Progressing" {
		t.Errorf("Argo CD says %+v", health)
	}
	flux, err := fluxOf(t, object)
	if flux != status.UnknownStatus || err == nil || !strings.Contains(err.Error(), "no such attribute(s): status.conditions") {
		t.Errorf("Flux says %s: %v", flux, err)
	}
	if verdict := kstatusOf(t, object); verdict != status.CurrentStatus {
		t.Errorf("kstatus says %s: say so in gitops/flux and docs/gitops.md", verdict)
	}
}

// What no version writes now: the scripts come to kstatus' verdict by the conditions, and not by luck.
func TestConditionsThatContradictEachOtherAreJudgedAsKstatusDoes(t *testing.T) {
	for other, verdict := range map[string]status.Status{
		"Reconciling": status.InProgressStatus, "Stalled": status.FailedStatus, "Drifted": status.CurrentStatus,
	} {
		object := states(t)["in-sync"]
		conditions, _, _ := unstructured.NestedSlice(integers(object).(map[string]any), "status", "conditions")
		conditions = append(conditions, map[string]any{"type": other, "status": "True", "reason": "Odd", "message": "odd"})
		object["status"].(map[string]any)["conditions"] = conditions
		flux, err := fluxOf(t, object)
		if kstatus := kstatusOf(t, object); kstatus != verdict || flux != verdict || err != nil {
			t.Errorf("Ready beside %s: kstatus says %s, Flux's expressions %s: %v", other, kstatus, flux, err)
		}
		argo := map[string]string{"Reconciling": "Progressing", "Stalled": "Degraded", "Drifted": "Healthy"}[other]
		if health := healthOf(t, object); health.Status != argo {
			t.Errorf("Ready beside %s: Argo CD says %s", other, health.Status)
		}
	}
	object := states(t)["in-sync"]
	delete(object["status"].(map[string]any), "conditions")
	flux, err := fluxOf(t, object)
	if health := healthOf(t, object); health.Status != "Progressing" || flux != status.InProgressStatus || err != nil {
		t.Errorf("without conditions: Argo CD says %s, Flux's expressions %s: %v", health.Status, flux, err)
	}
}

// update says whether what is generated is written, as in the Rust tests.
func update() bool { return os.Getenv("UPDATE_DOCS") != "" }

func stored(t *testing.T, path, made string) {
	t.Helper()
	if update() {
		if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != made {
		t.Errorf("%s is not what the states give (%v): refresh it with: make generate", path, err)
	}
}

func TestHealthTestsOfArgosLayoutHaveEveryState(t *testing.T) {
	states := states(t)
	var tests []map[string]any
	for _, name := range names(states) {
		tests = append(tests, map[string]any{"inputPath": "testdata/" + name + ".yaml", "healthStatus": healthOf(t, states[name])})
	}
	text, err := yaml.Marshal(map[string]any{"tests": tests})
	if err != nil {
		t.Fatal(err)
	}
	stored(t, kind+"/health_test.yaml", string(text))
}

func TestTableOfVerdictsIsTheOneOfTheStates(t *testing.T) {
	// Helm 4 waits for kstatus Current. Failed ends the wait for that object, and the command fails.
	helm := map[status.Status]string{
		status.CurrentStatus: "goes on", status.InProgressStatus: "waits", status.FailedStatus: "fails at once",
	}
	var page strings.Builder
	page.WriteString("# Verdicts\n\nEvery state of an object, and what GitOps tools make of it. A test writes this page from the statuses\n" +
		"that Seatkeeper writes (`make generate`); [gitops.md](../docs/gitops.md) explains it.\n\n" +
		"| State | `Ready` | Other conditions | kstatus (Flux) | Argo CD | `helm --wait` |\n|---|---|---|---|---|---|\n")
	states := states(t)
	for _, name := range names(states) {
		var ready string
		var others []string
		conditions, _, _ := unstructured.NestedSlice(integers(states[name]).(map[string]any), "status", "conditions")
		for _, one := range conditions {
			condition := one.(map[string]any)
			switch condition["type"] {
			case "Ready":
				ready = fmt.Sprintf("%s `%s`", condition["status"], condition["reason"])
			case "Reconciling", "Stalled", "ChangePending":
				others = append(others, fmt.Sprintf("`%s` `%s`", condition["type"], condition["reason"]))
			}
		}
		verdict := kstatusOf(t, states[name])
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", strings.ReplaceAll(name, "-", " "), ready, strings.Join(others, ", "),
			verdict, healthOf(t, states[name]).Status, helm[verdict])
	}
	stored(t, "../verdicts.md", page.String())
}

// What people put into argocd-cm is made of the scripts.
func TestPatchOfArgosConfigIsMadeOfTheScripts(t *testing.T) {
	indented := func(path, indent string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		for i, line := range lines {
			if line != "" {
				lines[i] = indent + line
			}
		}
		return strings.Join(lines, "\n") + "\n"
	}
	var patch strings.Builder
	patch.WriteString("# For Argo CD's own ConfigMap. Made of the scripts in seatkeeper.dev/ by make generate.\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n  namespace: argocd\ndata:\n" +
		"  resource.customizations.health.seatkeeper.dev_LicenseSeats: |\n" + indented(kind+"/health.lua", "    ") +
		"  resource.customizations.actions.seatkeeper.dev_LicenseSeats: |\n    discovery.lua: |\n" +
		indented(kind+"/actions/discovery.lua", "      ") + "    definitions:\n")
	for _, action := range []string{"look", "confirm", "approve", "suspend", "resume"} {
		patch.WriteString("    - name: " + action + "\n      action.lua: |\n" + indented(kind+"/actions/"+action+"/action.lua", "        "))
	}
	stored(t, "../argocd/argocd-cm.yaml", patch.String())

	var config struct {
		Data map[string]string `json:"data"`
	}
	read(t, "../argocd/argocd-cm.yaml", &config)
	var actions struct {
		Discovery   string `json:"discovery.lua"`
		Definitions []struct {
			Name   string `json:"name"`
			Action string `json:"action.lua"`
		} `json:"definitions"`
	}
	if err := yaml.Unmarshal([]byte(config.Data["resource.customizations.actions.seatkeeper.dev_LicenseSeats"]), &actions); err != nil {
		t.Fatal(err)
	}
	script, _ := os.ReadFile(kind + "/actions/confirm/action.lua")
	if len(actions.Definitions) != 5 || actions.Definitions[1].Action != string(script) || actions.Discovery == "" {
		t.Errorf("Argo CD would read %+v", actions)
	}
}

// pinned is the version of a module in a go.mod.
func pinned(t *testing.T, path, module string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == module {
			return words[1]
		}
	}
	t.Fatalf("%s has no %s", path, module)
	return ""
}

func TestKstatusIsThatOfTheHelmThatThePageNames(t *testing.T) {
	const pins, kstatus = "../../tests/control-plane/go.mod", "github.com/fluxcd/cli-utils"
	if of, here := pinned(t, pins, kstatus), pinned(t, "go.mod", kstatus); of != here {
		t.Errorf("Helm has %s %s, and these tests %s", kstatus, of, here)
	}
	helm := strings.Split(strings.TrimPrefix(pinned(t, pins, "helm.sh/helm/v4"), "v"), ".")
	page, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	if name := "Helm " + helm[0] + "." + helm[1]; !strings.Contains(string(page), name) {
		t.Errorf("docs/gitops.md does not name %s", name)
	}
}
