package charts

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// kubernetes is the release that a go.mod below tests/control-plane pins, and the folder of its module.
type kubernetes struct {
	Version string
	Dir     string
}

// releases are the oldest and the newest Kubernetes that the tests run with.
func releases(t *testing.T) []kubernetes {
	t.Helper()
	var all []kubernetes
	for _, module := range []string{"oldest", "."} {
		var one kubernetes
		folder := filepath.Join("../../tests/control-plane", module)
		told := output(t, "go", "-C", folder, "mod", "download", "-json", "k8s.io/kubernetes")
		if err := json.Unmarshal([]byte(told), &one); err != nil || one.Dir == "" {
			t.Fatalf("%s: %v", told, err)
		}
		all = append(all, one)
	}
	return all
}

func (release kubernetes) minor() string {
	return strings.Join(strings.Split(strings.TrimPrefix(release.Version, "v"), ".")[:2], ".")
}

// output is what a command prints. It must succeed.
func output(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	printed, err := exec.Command(name, arguments...).Output()
	if exit, failed := err.(*exec.ExitError); failed {
		t.Fatalf("%s %v: %s", name, arguments, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return string(printed)
}

type schema = map[string]any

// strict refuses, in a schema and all that it holds, the fields that it does not name.
func strict(at schema) {
	if at["format"] == "int-or-string" {
		delete(at, "format")
		at["type"] = []any{"string", "integer"}
	}
	properties, _ := at["properties"].(schema)
	if _, open := at["additionalProperties"]; properties != nil && !open && at["x-kubernetes-preserve-unknown-fields"] != true {
		at["additionalProperties"] = false
	}
	for _, property := range properties {
		strict(property.(schema))
	}
	for _, inner := range []string{"items", "additionalProperties"} {
		if inner, is := at[inner].(schema); is {
			strict(inner)
		}
	}
}

const (
	objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
	quantity   = "io.k8s.apimachinery.pkg.api.resource.Quantity"
)

// schemas writes what kubeconform needs for a release of Kubernetes and for these CRDs, and returns where it finds them.
func schemas(t *testing.T, of kubernetes, crds []string) string {
	t.Helper()
	folder := t.TempDir()
	var api struct {
		Definitions map[string]schema `json:"definitions"`
	}
	read(t, filepath.Join(of.Dir, "api/openapi-spec/swagger.json"), &api)
	api.Definitions[quantity]["type"] = []any{"string", "number"}
	for name, definition := range api.Definitions {
		strict(definition)
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			kind := kind.(map[string]any)
			write(t, folder, kind["group"].(string), kind["version"].(string), kind["kind"].(string), schema{"$ref": "../definitions.json#/definitions/" + name})
		}
	}
	put(t, filepath.Join(folder, "definitions.json"), api)
	for _, path := range crds {
		var crd struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct{ OpenAPIV3Schema schema }
				}
			}
		}
		read(t, path, &crd)
		for _, version := range crd.Spec.Versions {
			strict(version.Schema.OpenAPIV3Schema)
			properties := version.Schema.OpenAPIV3Schema["properties"].(schema)
			// Kubernetes adds these to every CRD.
			properties["apiVersion"], properties["kind"] = schema{"type": "string"}, schema{"type": "string"}
			properties["metadata"] = schema{"$ref": "../definitions.json#/definitions/" + objectMeta}
			write(t, folder, crd.Spec.Group, version.Name, crd.Spec.Names.Kind, version.Schema.OpenAPIV3Schema)
		}
	}
	return folder + "/{{ if eq .Group .ResourceAPIVersion }}core{{ else }}{{ .Group }}{{ end }}/{{ .ResourceKind }}-{{ .ResourceAPIVersion }}.json"
}

func write(t *testing.T, folder, group, version, kind string, content schema) {
	t.Helper()
	if group == "" {
		group = "core"
	}
	folder = filepath.Join(folder, group)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, strings.ToLower(kind)+"-"+version+".json"), content)
}

func put(t *testing.T, path string, content any) {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

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
