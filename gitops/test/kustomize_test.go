package gitops

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// tool runs kubectl or helm of tests/control-plane.
func tool(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	where, err := exec.Command("../../tests/control-plane/build.sh", "--where").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := strings.TrimSpace(string(where))
	for _, other := range []string{os.Getenv("KUBEBUILDER_ASSETS"), folder} {
		if _, err := os.Stat(filepath.Join(other, name)); err == nil && other != "" {
			command := exec.Command(filepath.Join(other, name), arguments...)
			command.Env = append(os.Environ(), "PATH="+other+":"+folder+":"+os.Getenv("PATH"))
			output, err := command.Output()
			if exit, failed := err.(*exec.ExitError); failed {
				t.Fatalf("%s %v: %s", name, arguments, exit.Stderr)
			} else if err != nil {
				t.Fatal(err)
			}
			return string(output)
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("there is no %s: make control-plane", name)
	}
	t.Skipf("there is no %s: make control-plane", name)
	return ""
}

// objects are kind and name of each document.
func objects(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	for _, document := range strings.Split("\n"+text, "\n---") {
		var object struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind != "" {
			all = append(all, object.Kind+"/"+object.Metadata.Name)
		}
	}
	sort.Strings(all)
	return all
}

func TestKustomizeBaseIsTheChartAndItsNamespace(t *testing.T) {
	built := objects(t, tool(t, "kubectl", "kustomize", "--enable-helm", "--load-restrictor", "LoadRestrictionsNone", "../kustomize"))
	chart := tool(t, "helm", "template", "seatkeeper", "../../charts/seatkeeper", "--namespace", "seatkeeper-system", "--skip-tests")
	expected := append(objects(t, chart), "Namespace/seatkeeper-system")
	sort.Strings(expected)
	if !reflect.DeepEqual(built, expected) || len(built) < 8 {
		t.Errorf("kustomize gives %v, the chart %v", built, expected)
	}
}

func TestFluxBaseInstallsTheChartOfTheReleases(t *testing.T) {
	text := tool(t, "kubectl", "kustomize", "../flux")
	built := objects(t, text)
	if expected := []string{"HelmRelease/seatkeeper", "Namespace/seatkeeper-system", "OCIRepository/seatkeeper"}; !reflect.DeepEqual(built, expected) {
		t.Errorf("%v", built)
	}
	// Helm charts in a registry have several layers; which one comes first differs.
	for _, line := range []string{"mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip\n", "operation: copy\n"} {
		if strings.Count(text, line) != 1 {
			t.Errorf("the OCIRepository lacks %q:\n%s", line, text)
		}
	}
}

// references collects the paths of fields that name a Secret: objects called ...SecretRef or secretKeyRef with a name.
func references(schema map[string]any, path string, found *[]string) {
	properties, _ := schema["properties"].(map[string]any)
	for name, field := range properties {
		field := field.(map[string]any)
		at := path + "/" + name
		if strings.HasSuffix(strings.ToLower(name), "secretref") || name == "secretKeyRef" {
			*found = append(*found, strings.TrimPrefix(at, "/")+"/name")
		}
		references(field, at, found)
		if items, list := field["items"].(map[string]any); list {
			references(items, at, found)
		}
	}
}

func TestReferencesForKustomizeAreAllFieldsThatNameASecret(t *testing.T) {
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPI map[string]any `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	read(t, "../../crds/licenseseats.seatkeeper.dev.yaml", &crd)
	var named []string
	schema := crd.Spec.Versions[0].Schema.OpenAPI["properties"].(map[string]any)
	references(map[string]any{"properties": map[string]any{"spec": schema["spec"]}}, "", &named)
	sort.Strings(named)
	var config struct {
		NameReference []struct {
			Kind       string              `json:"kind"`
			FieldSpecs []map[string]string `json:"fieldSpecs"`
		} `json:"nameReference"`
	}
	read(t, "../kustomize/references.yaml", &config)
	var listed []string
	for _, field := range config.NameReference[0].FieldSpecs {
		listed = append(listed, field["path"])
	}
	sort.Strings(listed)
	if len(named) < 4 || !reflect.DeepEqual(named, listed) {
		t.Errorf("the CRD names Secrets at %v, and references.yaml has %v", named, listed)
	}
}

func TestGeneratedSecretsAndPrefixesReachTheObjectsThatNameThem(t *testing.T) {
	folder := t.TempDir()
	references, err := os.ReadFile("../kustomize/references.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"references.yaml": string(references),
		"kustomization.yaml": "namePrefix: eu-\nconfigurations: [references.yaml]\nresources: [objects.yaml]\nsecretGenerator:\n" +
			"- {name: org, type: seatkeeper.dev/credentials, literals: [clientId=a, clientSecret=b]}\n" +
			"- {name: keys, type: seatkeeper.dev/license-key, literals: [one=a]}\n",
		"objects.yaml": "apiVersion: seatkeeper.dev/v1alpha1\nkind: LicenseSeats\nmetadata: {name: acme}\nspec:\n  vendor:\n" +
			"    bitwarden: {credentialsSecretRef: {name: org}, ownerCredentialsSecretRef: {name: org}}\n" +
			"    immuta: {credentialsSecretRef: {name: org}, licenseKeys: [{secretKeyRef: {name: keys, key: one}}]}\n" +
			"---\napiVersion: seatkeeper.dev/v1alpha1\nkind: SeatApproval\nmetadata: {name: december}\n" +
			"spec: {licenseSeatsRef: {name: acme}, decision: Approved, planId: a}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built := tool(t, "kubectl", "kustomize", folder)
	for name, times := range map[string]int{"name: eu-org-": 4, "name: eu-keys-": 2, "name: eu-acme\n": 2} {
		if found := strings.Count(built, name); found != times {
			t.Errorf("%q is there %d times, not %d:\n%s", name, found, times, built)
		}
	}
}
