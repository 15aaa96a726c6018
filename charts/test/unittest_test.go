package charts

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/helm-unittest/helm-unittest/pkg/unittest"
	"github.com/helm-unittest/helm-unittest/pkg/unittest/printer"
	"helm.sh/helm/v3/pkg/chart/loader"
)

var both = []string{chart, "../seatkeeper-crds"}

// snapshots is the content of all files that helm-unittest may write.
func snapshots(t *testing.T, chart string) string {
	t.Helper()
	files, err := filepath.Glob(chart + "/tests/__snapshot__/*")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(file + "\n" + string(text))
	}
	return all.String()
}

func TestSuitesOfEachChartPassAndTheirSnapshotsStay(t *testing.T) {
	for _, chart := range both {
		var told bytes.Buffer
		update, colored := os.Getenv("UPDATE_DOCS") != "", false
		before := snapshots(t, chart)
		runner := unittest.TestRunner{
			Printer: printer.NewPrinter(&told, &colored), UpdateSnapshot: update, Strict: true, TestFiles: []string{"tests/*_test.yaml"},
		}
		passed := runner.RunV3([]string{chart})
		counts := regexp.MustCompile(`Tests: +([0-9]+) passed, ([0-9]+) total`).FindStringSubmatch(told.String())
		if !passed || counts == nil || counts[1] != counts[2] || counts[1] == "0" {
			t.Errorf("%s", told.String())
		}
		// helm-unittest makes a snapshot that is missing and drops one that no test has any more.
		if !update && snapshots(t, chart) != before {
			t.Errorf("the snapshots of %s are not those of its suites; refresh them with: make generate", chart)
		}
	}
}

func TestPackageOfEachChartHasNoSuites(t *testing.T) {
	for _, chart := range both {
		loaded, err := loader.Load(chart)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range loaded.Raw {
			if strings.HasPrefix(file.Name, "tests/") {
				t.Errorf("%s: name %s in .helmignore", chart, file.Name)
			}
		}
		if len(loaded.Templates) == 0 {
			t.Errorf("%s has no templates", chart)
		}
	}
}
