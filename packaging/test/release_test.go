// Package packaging plays what a release does without GitHub's identity: it makes the files, runs the steps of the workflow that publish
// them with a registry of its own, and lints every workflow.
package packaging

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// charts are those of a release, by name.
var charts = []string{"seatkeeper", "seatkeeper-crds"}

func text(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// helm is the pinned one.
func helm(t *testing.T) string {
	t.Helper()
	where, err := exec.Command(root+"/tests/control-plane/build.sh", "--where").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{os.Getenv("KUBEBUILDER_ASSETS"), strings.TrimSpace(string(where))} {
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

// version is that of the workspace.
func version(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(text(t, root+"/Cargo.toml")) {
		if version, is := strings.CutPrefix(line, `version = "`); is {
			return strings.TrimRight(version, "\"\n")
		}
	}
	t.Fatal("Cargo.toml has no version")
	return ""
}

// checkout is a copy of what a release reads, whose changelog has the version, and a folder of programs that come first in PATH.
type checkout struct {
	folder, programs string
	environment      []string
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newCheckout(t *testing.T) checkout {
	t.Helper()
	real, folder, programs, home := helm(t), t.TempDir(), t.TempDir(), t.TempDir()
	for _, part := range []string{"charts/seatkeeper", "charts/seatkeeper-crds", "crds", "packaging"} {
		check(t, os.CopyFS(filepath.Join(folder, part), os.DirFS(filepath.Join(root, part))))
	}
	changelog := strings.Replace(text(t, root+"/CHANGELOG.md"), "## [Unreleased]\n", "## ["+version(t)+"] - 2026-12-01\n", 1)
	check(t, os.WriteFile(filepath.Join(folder, "CHANGELOG.md"), []byte(changelog), 0o600))
	made := checkout{folder, programs, append(os.Environ(),
		"PATH="+programs+":"+os.Getenv("PATH"), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)}
	made.program(t, "helm", `exec `+real+` "$@"`)
	return made
}

// program puts a script into PATH.
func (in checkout) program(t *testing.T, name, script string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(in.programs, name), []byte("#!/usr/bin/env bash\n"+script+"\n"), 0o700))
}

// run runs a command in the checkout and returns what it says.
func (in checkout) run(environment []string, name string, arguments ...string) (string, error) {
	command := exec.Command(name, arguments...)
	command.Dir, command.Env = in.folder, append(slices.Clone(in.environment), environment...)
	said, err := command.CombinedOutput()
	return string(said), err
}

// names are those of the files in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	check(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestFilesOfAReleaseAreItsChartsAndItsCRDsInItsVersion(t *testing.T) {
	made := newCheckout(t)
	if said, err := made.run(nil, "packaging/release-files.sh", "dist"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	dist, version := filepath.Join(made.folder, "dist"), version(t)
	expected := []string{"seatkeeper-" + version + ".tgz", "seatkeeper-crds-" + version + ".tgz", "seatkeeper-crds.yaml"}
	if files := names(t, dist); !reflect.DeepEqual(files, expected) {
		t.Fatalf("%v", files)
	}
	for _, chart := range charts {
		packed := filepath.Join(dist, chart+"-"+version+".tgz")
		listed, err := exec.Command("tar", "--list", "--gzip", "--file", packed).Output()
		check(t, err)
		if files := string(listed); strings.Contains(files, chart+"/tests/") || !strings.Contains(files, chart+"/values.schema.json\n") {
			t.Errorf("%s has\n%s", packed, files)
		}
		described, err := exec.Command("tar", "--extract", "--to-stdout", "--gzip", "--file", packed, chart+"/Chart.yaml").Output()
		check(t, err)
		var description struct{ Name, Version, AppVersion string }
		check(t, yaml.Unmarshal(described, &description))
		if description.Name != chart || description.Version != version || description.AppVersion != version {
			t.Errorf("%s: %+v", packed, description)
		}
	}
	files, err := filepath.Glob(root + "/crds/*.yaml")
	check(t, err)
	var crds strings.Builder
	for _, file := range files {
		crds.WriteString("---\n" + text(t, file))
	}
	if len(files) != 2 || text(t, filepath.Join(dist, "seatkeeper-crds.yaml")) != crds.String() {
		t.Errorf("seatkeeper-crds.yaml is not %v", files)
	}
}

// published are the checkout after the steps that publish, and the registry that they pushed to.
type published struct {
	checkout
	registry *httptest.Server
}

// host is the registry's, as in a reference.
func (in published) host() string { return strings.TrimPrefix(in.registry.URL, "http://") }

// ready is a checkout before the steps that publish, with a registry and with programs in the place of those that need an identity.
func ready(t *testing.T) published {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	made := published{newCheckout(t), server}
	check(t, os.Mkdir(filepath.Join(made.folder, "dist"), 0o700))
	for _, arch := range []string{"amd64", "arm64"} {
		for _, kind := range []string{"cdx", "spdx"} {
			file := fmt.Sprintf("dist/seatkeeper-%s-%s.%s.json", version(t), arch, kind)
			check(t, os.WriteFile(filepath.Join(made.folder, file), []byte(`{"made": "by syft"}`), 0o600))
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		pack(t, made.checkout, arch)
	}
	// ghcr.io is the registry above, which has no certificate.
	made.program(t, "helm", `if [ "$1" = push ]; then set -- push "$2" "oci://`+made.host()+`/${3#oci://ghcr.io/}" --plain-http; fi
exec `+helm(t)+` "$@"`)
	made.program(t, "cosign", `printf '%s\n' "$*" >>`+made.folder+`/signed
while [ $# -gt 0 ]; do if [ "$1" = --bundle ]; then echo signature >"$2"; fi; shift; done`)
	made.program(t, "gh", `printf '%s\n' "$@" >`+made.folder+`/released`)
	return made
}

// signed are the arguments of each call of cosign.
func (in published) signed(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(in.folder, "signed")); os.IsNotExist(err) {
		return nil
	}
	return strings.Split(strings.TrimSpace(text(t, filepath.Join(in.folder, "signed"))), "\n")
}

// manifest is that of a pushed chart, and its digest.
func (in published) manifest(t *testing.T, chart string) (layers []string, digest string) {
	t.Helper()
	url := fmt.Sprintf("%s/v2/seatkeeper/charts/%s/manifests/%s", in.registry.URL, chart, version(t))
	answer, err := in.registry.Client().Get(url)
	check(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	check(t, err)
	var manifest struct{ Layers []struct{ MediaType string } }
	check(t, json.Unmarshal(body, &manifest))
	for _, layer := range manifest.Layers {
		layers = append(layers, layer.MediaType)
	}
	return layers, fmt.Sprintf("sha256:%x", sha256.Sum256(body))
}

func TestStepsThatPublishSignWhatThePushedChartsAreAndHandEveryFileToTheRelease(t *testing.T) {
	made := ready(t)
	made.play(t, "Publish and sign the charts", "Describe the kubectl plugin", "Checksums", "GitHub release")
	var signatures []string
	for _, chart := range charts {
		layers, digest := made.manifest(t, chart)
		signatures = append(signatures, fmt.Sprintf("sign --yes %s/seatkeeper/charts/%s@%s", made.host(), chart, digest))
		if selected := selectedLayer(t); !reflect.DeepEqual(layers, []string{selected}) {
			t.Errorf("%s has the layers %v, and Flux takes %s", chart, layers, selected)
		}
	}
	signatures = append(signatures, "sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS")
	if signed := made.signed(t); !reflect.DeepEqual(signed, signatures) {
		t.Errorf("signed: %q, not %q", signed, signatures)
	}

	dist := filepath.Join(made.folder, "dist")
	sums := map[string]string{}
	for line := range strings.Lines(text(t, filepath.Join(dist, "SHA256SUMS"))) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[file] = sum
	}
	files := names(t, dist)
	for _, file := range files {
		if is := fmt.Sprintf("%x", sha256.Sum256([]byte(text(t, filepath.Join(dist, file))))); is != sums[file] && !strings.HasPrefix(file, "SHA256SUMS") {
			t.Errorf("%s has the sum %s, and SHA256SUMS says %q", file, is, sums[file])
		}
		delete(sums, file)
	}
	if len(sums) > 0 || len(files) != 12 {
		t.Errorf("%v, and sums of other files: %v", files, sums)
	}
	// What docs/release.md tells people to do, with some of the files.
	check(t, os.Remove(filepath.Join(dist, "seatkeeper-crds.yaml")))
	if said, err := made.run([]string{}, "bash", "-ec", "cd dist; sha256sum --check --ignore-missing SHA256SUMS"); err != nil {
		t.Errorf("%v: %s", err, said)
	}

	released := strings.Split(strings.TrimSpace(text(t, filepath.Join(made.folder, "released"))), "\n")
	tag := "v" + version(t)
	expected := []string{
		"release", "create", tag, "--verify-tag", "--prerelease=false", "--title", tag, "--notes-file", "notes.md",
	}
	for _, file := range files {
		expected = append(expected, "dist/"+file)
	}
	if !reflect.DeepEqual(released, expected) {
		t.Errorf("released: %q", released)
	}
	if notes := text(t, filepath.Join(made.folder, "notes.md")); !strings.Contains(notes, "### Added") || !strings.Contains(notes, "@"+digest) {
		t.Errorf("notes: %s", notes)
	}
}

func TestChartThatCannotBePushedEndsTheReleaseBeforeAnythingIsSigned(t *testing.T) {
	made := ready(t)
	made.registry.Close()
	if said, err := made.step(t, "Publish and sign the charts"); err == nil {
		t.Errorf("it goes on: %s", said)
	}
	if signed := made.signed(t); signed != nil {
		t.Errorf("signed: %q", signed)
	}
}

// pack packs a program that says its architecture as the workflow packs the operator's.
func pack(t *testing.T, in checkout, arch string) {
	t.Helper()
	in.program(t, "kubectl-seatkeeper", "echo plugin of "+arch+" with $*")
	folder := t.TempDir()
	program, err := os.ReadFile(filepath.Join(in.programs, "kubectl-seatkeeper"))
	check(t, err)
	check(t, os.Remove(filepath.Join(in.programs, "kubectl-seatkeeper")))
	check(t, os.WriteFile(filepath.Join(folder, "kubectl-seatkeeper"), program, 0o700))
	check(t, os.WriteFile(filepath.Join(folder, "LICENSE"), []byte(text(t, root+"/LICENSE")), 0o600))
	packed := filepath.Join(in.folder, "dist", "kubectl-seatkeeper-linux-"+arch+".tar.gz")
	if said, err := exec.Command("tar", "--create", "--gzip", "--directory", folder, "--file", packed, "kubectl-seatkeeper", "LICENSE").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}

func TestPluginIsInstalledByKrewFromTheManifestOfTheReleaseAndNoOtherFile(t *testing.T) {
	made := ready(t)
	made.play(t, "Describe the kubectl plugin")
	krew := filepath.Join(t.TempDir(), "krew")
	if said, err := exec.Command("go", "build", "-o", krew, "sigs.k8s.io/krew/cmd/krew").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	home := t.TempDir()
	install := func(arch, archive string) (string, error) {
		environment := []string{"KREW_ROOT=" + home, "KREW_OS=linux", "KREW_ARCH=" + arch, "KREW_NO_UPGRADE_CHECK=1"}
		return made.run(environment, krew, "install", "--manifest=dist/krew.yaml", "--archive=dist/kubectl-seatkeeper-linux-"+archive+".tar.gz")
	}
	if said, err := install("amd64", "arm64"); err == nil || !strings.Contains(said, "checksum") {
		t.Errorf("the file of another architecture: %v: %s", err, said)
	}
	if said, err := install("arm64", "arm64"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	said, err := made.run(nil, filepath.Join(home, "bin", "kubectl-seatkeeper"), "crd")
	if err != nil || said != "plugin of arm64 with crd\n" {
		t.Errorf("%v: %s", err, said)
	}
	licensed, err := filepath.Glob(filepath.Join(home, "store", "seatkeeper", "v"+version(t), "LICENSE"))
	if err != nil || len(licensed) != 1 {
		t.Errorf("%v: %v", err, licensed)
	}
}

// selectedLayer is the layer of a chart that Flux takes.
func selectedLayer(t *testing.T) string {
	t.Helper()
	for _, document := range strings.Split(text(t, root+"/gitops/flux/operator.yaml"), "\n---\n") {
		var object struct {
			Kind string
			Spec struct{ LayerSelector struct{ MediaType string } }
		}
		check(t, yaml.Unmarshal([]byte(document), &object))
		if object.Kind == "OCIRepository" {
			return object.Spec.LayerSelector.MediaType
		}
	}
	t.Fatal("gitops/flux has no OCIRepository")
	return ""
}

// play runs these steps, in the order of the workflow. Each must succeed.
func (in published) play(t *testing.T, steps ...string) {
	t.Helper()
	var played []string
	for _, step := range publish(t).Steps {
		if step.Name != nil && slices.Contains(steps, step.Name.Value) {
			played = append(played, step.Name.Value)
			if said, err := in.step(t, step.Name.Value); err != nil {
				t.Fatalf("%s: %v: %s", step.Name.Value, err, said)
			}
		}
	}
	if !reflect.DeepEqual(played, steps) {
		t.Fatalf("the workflow has %q, not %q", played, steps)
	}
}

const digest = "sha256:1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f"

// step runs a step as GitHub does.
func (in published) step(t *testing.T, name string) (string, error) {
	t.Helper()
	script, with := script(t, name)
	values := map[string]string{
		"github.token": "token", "github.repository": "seatkeeper/seatkeeper",
		"steps.image.outputs.digest": digest, "steps.image.outputs.version": version(t),
	}
	environment := []string{
		"GITHUB_REF_NAME=v" + version(t), "GITHUB_REPOSITORY=seatkeeper/seatkeeper", "GITHUB_REPOSITORY_OWNER=seatkeeper",
	}
	for _, key := range slices.Sorted(maps.Keys(with)) {
		value := expression.ReplaceAllStringFunc(with[key], func(found string) string {
			value, known := values[expression.FindStringSubmatch(found)[1]]
			if !known {
				t.Fatalf("%s: give %s a value here", name, found)
			}
			return value
		})
		environment = append(environment, key+"="+value)
	}
	return in.run(environment, "bash", append(shell(t), script)...)
}
