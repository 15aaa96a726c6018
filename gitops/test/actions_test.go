package gitops

import (
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type actionTests struct {
	DiscoveryTests []struct {
		InputPath string           `json:"inputPath"`
		Result    []map[string]any `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action     string         `json:"action"`
		InputPath  string         `json:"inputPath"`
		Parameters map[string]any `json:"parameters"`
		Expected   string         `json:"expectedOutputPath"`
		Error      string         `json:"expectedErrorMessage"`
	} `json:"actionTests"`
}

var moment = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// withoutMoment replaces the time of a look, which is another each time.
func withoutMoment(t *testing.T, value map[string]any) {
	const look = "seatkeeper.dev/reconcile-requested-at"
	if text, found, _ := unstructured.NestedString(value, "metadata", "annotations", look); found {
		if !moment.MatchString(text) {
			t.Errorf("%q is no time", text)
		}
		_ = unstructured.SetNestedField(value, "now", "metadata", "annotations", look)
	}
}

func TestActionsOfArgoDoWhatTheirTestsSay(t *testing.T) {
	var tests actionTests
	read(t, kind+"/actions/action_test.yaml", &tests)
	played := map[string]bool{}
	for _, test := range tests.ActionTests {
		played[test.Action] = true
		name := test.Action + " " + test.InputPath
		result, err := run(filepath.Join(kind, "actions", test.Action, "action.lua"), object(t, filepath.Join(kind, "actions", test.InputPath)), test.Parameters)
		if test.Error != "" {
			if err == nil || !strings.Contains(err.Error(), test.Error) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var expected any
		read(t, filepath.Join(kind, "actions", test.Expected), &expected)
		if result, patched := result.(map[string]any); patched {
			withoutMoment(t, result)
		}
		if !reflect.DeepEqual(integers(result), integers(expected)) {
			got, _ := yaml.Marshal(result)
			t.Errorf("%s gives\n%s", name, got)
		}
	}
	folders, err := filepath.Glob(kind + "/actions/*/action.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if action := filepath.Base(filepath.Dir(folder)); !played[action] {
			t.Errorf("the action %s has no test", action)
		}
	}
}

// offered are the actions that can be run on an object.
func offered(t *testing.T, object map[string]any) []string {
	t.Helper()
	result, err := run(kind+"/actions/discovery.lua", object, nil)
	if err != nil {
		t.Fatal(err)
	}
	var offered []string
	for name, action := range result.(map[string]any) {
		if action.(map[string]any)["disabled"] != true {
			offered = append(offered, name)
		}
	}
	sort.Strings(offered)
	return offered
}

func TestActionsAreOfferedWhereTheyMakeSense(t *testing.T) {
	var tests actionTests
	read(t, kind+"/actions/action_test.yaml", &tests)
	if len(tests.DiscoveryTests) < 5 {
		t.Fatalf("only %d", len(tests.DiscoveryTests))
	}
	for _, test := range tests.DiscoveryTests {
		var expected []string
		for _, action := range test.Result {
			if action["disabled"] != true {
				expected = append(expected, action["name"].(string))
			}
		}
		sort.Strings(expected)
		if offered := offered(t, object(t, filepath.Join(kind, "actions", test.InputPath))); !reflect.DeepEqual(offered, expected) {
			t.Errorf("%s: %v, not %v", test.InputPath, offered, expected)
		}
	}
}

// An action that is offered works, or asks for its parameter.
func TestEveryOfferedActionRunsInEveryState(t *testing.T) {
	for name, object := range states(t) {
		for _, action := range offered(t, object) {
			if _, err := run(filepath.Join(kind, "actions", action, "action.lua"), object, map[string]any{"id": "1"}); err != nil {
				t.Errorf("%s on %s: %v", action, name, err)
			}
		}
	}
}
