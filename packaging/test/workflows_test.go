package packaging

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// expression is one of GitHub's, as ${{ github.token }}.
var expression = regexp.MustCompile(`\$\{\{ *([^} ]+) *\}\}`)

// wrong is what actionlint has against a workflow.
func wrong(t *testing.T, path, text string) []*actionlint.Error {
	t.Helper()
	linter, err := actionlint.NewLinter(&bytes.Buffer{}, &actionlint.LinterOptions{})
	check(t, err)
	found, err := linter.Lint(path, []byte(text), nil)
	check(t, err)
	return found
}

func workflows(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(root + "/.github/workflows/*")
	check(t, err)
	workflows := map[string]string{}
	for _, path := range paths {
		workflows[path] = text(t, path)
	}
	if len(workflows) < 4 {
		t.Fatalf("%v", paths)
	}
	return workflows
}

func TestActionlintFindsNothingInAnyWorkflow(t *testing.T) {
	for path, text := range workflows(t) {
		for _, found := range wrong(t, path, text) {
			t.Error(found)
		}
	}
}

func TestActionlintFindsEachMistakeInTheWorkflowThatReleases(t *testing.T) {
	const path = root + "/.github/workflows/release.yml"
	for right, mistake := range map[string]string{
		"${{ steps.image.outputs.digest }}": "${{ steps.immage.outputs.digest }}",
		"${{ github.token }}":               "${{ github.tokken }}",
		"needs: check":                      "needs: chek",
		"runs-on: ubuntu-24.04\n":           "runs-on: ubuntu-24.4\n",
		"timeout-minutes":                   "timeout-minute",
		"contents: read":                    "contents: reed",
		"${{ matrix.arch }}":                "${{ matrix.archs }}",
	} {
		text := strings.Replace(text(t, path), right, mistake, 1)
		if len(wrong(t, path, text)) == 0 || !strings.Contains(text, mistake) {
			t.Errorf("nothing is said of %s", mistake)
		}
	}
}

func release(t *testing.T) *actionlint.Workflow {
	t.Helper()
	workflow, wrong := actionlint.Parse([]byte(text(t, root+"/.github/workflows/release.yml")))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return workflow
}

// publish is the job that publishes.
func publish(t *testing.T) *actionlint.Job {
	t.Helper()
	job := release(t).Jobs["publish"]
	if job == nil {
		t.Fatal("release.yml has no job publish")
	}
	return job
}

// shell are bash's arguments before a script, as GitHub gives them: without a shell that is named, the status of a pipe is that of its end.
func shell(t *testing.T) []string {
	t.Helper()
	defaults := release(t).Defaults
	if defaults == nil || defaults.Run == nil || defaults.Run.Shell == nil {
		return []string{"-e", "-c"}
	}
	if shell := defaults.Run.Shell.Value; shell != "bash" {
		t.Fatalf("this test does not know the shell %s", shell)
	}
	return []string{"--noprofile", "--norc", "-eo", "pipefail", "-c"}
}

// script is what a step of the job that publishes runs, and its environment with GitHub's expressions in it.
func script(t *testing.T, name string) (string, map[string]string) {
	t.Helper()
	environment := map[string]string{}
	add := func(from *actionlint.Env) {
		if from != nil {
			for _, variable := range from.Vars {
				environment[variable.Name.Value] = variable.Value.Value
			}
		}
	}
	add(release(t).Env)
	for _, step := range publish(t).Steps {
		run, is := step.Exec.(*actionlint.ExecRun)
		if is && step.Name != nil && step.Name.Value == name {
			if run.Shell != nil || run.WorkingDirectory != nil {
				t.Fatalf("%s has a shell or a folder of its own: let this test know it", name)
			}
			add(step.Env)
			return run.Run.Value, environment
		}
	}
	t.Fatalf("release.yml has no step %q", name)
	return "", nil
}
