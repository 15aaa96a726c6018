package charts

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

// parsed are the chart's own values.
func parsed(t *testing.T) values {
	t.Helper()
	var defaults values
	read(t, chart+"/values.yaml", &defaults)
	if len(defaults) < 40 {
		t.Fatalf("%d values: does this still read values.yaml?", len(defaults))
	}
	return defaults
}

// paths are those of every value and of every map of values.
func paths(of values, above []string) [][]string {
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		path := append(slices.Clone(above), key)
		all = append(all, path)
		if inner, is := of[key].(values); is {
			all = append(all, paths(inner, path)...)
		}
	}
	return all
}

// everything turns on each object of the chart, so that each template reads its values.
func everything(kind string) values {
	return values{
		"replicas":      2,
		"alerts":        values{"enabled": true},
		"dashboard":     values{"enabled": true},
		"networkPolicy": values{"enabled": true, "from": []any{values{"podSelector": values{}}}},
		"policies":      values{"secretAccess": values{"enabled": true}},
		"metrics":       values{kind: values{"enabled": true}},
		"caBundle":      values{"secret": "cas"},
		"vendors": values{
			"allowedHosts": []any{"vault.example:8443"},
			"proxy":        values{"url": "http://proxy.example:3128", "credentialsSecret": values{"name": "proxy"}},
		},
	}
}

// without are those values with a null at the path.
func without(all values, path []string) values {
	copied := maps.Clone(all)
	if len(path) == 1 {
		copied[path[0]] = nil
		return copied
	}
	inner, _ := copied[path[0]].(values)
	if inner == nil {
		inner = values{}
	}
	copied[path[0]] = without(inner, path[1:])
	return copied
}

// meant are nulls that mean something else than the default, as values.yaml, or a refusal, says.
var meant = []string{
	"listen", "replicas", "nodeSelector", "nodeSelector.kubernetes.io/os", "resources", "resources.limits", "resources.limits.memory",
	"resources.requests", "resources.requests.cpu", "resources.requests.memory", "revisionHistoryLimit", "startupProbe",
	"startupProbe.failureThreshold", "startupProbe.periodSeconds", "dashboard.labels", "dashboard.labels.grafana_dashboard",
	"strategy.rollingUpdate", "strategy.rollingUpdate.maxSurge", "strategy.rollingUpdate.maxUnavailable",
}

// meantBelow are the same for all values below these.
var meantBelow = []string{"alerts.rules", "podSecurityContext", "securityContext"}

// isMeant says whether a null at the path means something else than the default.
func isMeant(path string) bool {
	below := func(outer string) bool { return path == outer || strings.HasPrefix(path, outer+".") }
	return slices.Contains(meant, path) || slices.ContainsFunc(meantBelow, below)
}

// given says whether the path is set in what everything turns on, so that a null there turns it off.
func given(all values, path []string) bool {
	inner, is := all[path[0]]
	if len(path) == 1 || !is {
		return is
	}
	below, is := inner.(values)
	return is && given(below, path[1:])
}

// local renders a chart as render does, with the library of Helm 3, which takes milliseconds.
func local(loaded *helmchart.Chart, with values) (string, error) {
	release := chartutil.ReleaseOptions{Name: "seatkeeper", Namespace: "seatkeeper-system", IsInstall: true, Revision: 1}
	merged, err := chartutil.ToRenderValues(loaded, with, release, nil)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(loaded, merged)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			all.WriteString("\n---\n" + files[name])
		}
	}
	return all.String(), nil
}

func TestNullOfEachValueIsItsDefaultOrIsRefusedByItsName(t *testing.T) {
	loaded, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	conform, all := kubeconform(t, releases(t)[1]), paths(parsed(t), nil)
	for _, kind := range []string{"serviceMonitor", "podMonitor"} {
		base := everything(kind)
		usual, err := local(loaded, base)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range all {
			if kind == "podMonitor" && path[0] != "metrics" {
				continue
			}
			name := strings.Join(path, ".")
			text, err := local(loaded, without(base, path))
			if err != nil {
				if told := err.Error(); !strings.Contains(told, path[len(path)-1]) || strings.Contains(told, "nil ") || strings.Contains(told, "<nil>") {
					t.Errorf("%s: null is refused by other words than its own: %s", name, told)
				}
				continue
			}
			if strings.Contains(text, "<nil>") || strings.Contains(text, "%!") {
				t.Errorf("%s: null shows in what is rendered", name)
			}
			if text == usual {
				continue
			}
			for _, wrong := range refused(conform, text, map[string]int{}) {
				t.Errorf("%s: null renders an object that is not valid: %s", name, wrong)
			}
			if !isMeant(name) && !given(base, path) {
				t.Errorf("%s: null renders something else than the default", name)
			}
		}
	}
	// The pinned Helm 4 takes and refuses the same maps.
	for _, path := range all {
		if _, is := parsed(t)[path[0]].(values); !is || len(path) > 1 {
			continue
		}
		with := without(everything("serviceMonitor"), path)
		_, three := local(loaded, with)
		_, four := render(t, chart, with, "1.37.0")
		if (three == nil) != (four == nil) {
			t.Errorf("%s: Helm 3 says %v, and Helm 4 %v", path[0], three, four)
		}
	}
}

func TestListenTakesWhatIsAnAddressWithAPortAndNothingElse(t *testing.T) {
	addresses := []string{
		"[::]:1", "[::]:65535", "[::]:65536", "[::]:08", "[::]:0", "[::]:", "[::]", "0.0.0.0:8080", "010.0.0.1:8080", "1.2.3:80", "1.2.3.4.5:80",
		"1.2.3.256:80", "[1.2.3.4]:80", "[::1.2.3.4]:80", "[::ffff:1.2.3.4]:80", "[1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7::]:80",
		"[::2:3:4:5:6:7:8]:80", "[1::8]:80", "[1:2::7:8]:80", "[1:2:3:4:5:6::8]:80", "[1::3::8]:80", "[1:2:3:4:5:6:7]:80",
		"[1:2:3:4:5:6:7:8:9]:80", "[1:2:3:4:5:6:1.2.3.4]:80", "[1::7:1.2.3.4]:80", "[1:2:3:4:5:6:7:1.2.3.4]:80", "[12345::]:80", "[g::]:80", ":::80", "localhost:80", "http://0.0.0.0:80", "0.0.0.0:80 ",
	}
	taken := 0
	for _, address := range addresses {
		is, err := netip.ParseAddrPort(address)
		valid := err == nil && is.Port() > 0 && !strings.HasSuffix(address, ":08")
		text, err := render(t, chart, values{"listen": address}, "1.37.0")
		if valid != (err == nil) || valid != strings.Contains(text, fmt.Sprintf("%q", "--listen="+address)) {
			t.Errorf("%s: valid is %t, and the chart says %v", address, valid, err)
		}
		if valid {
			taken++
		}
	}
	if taken < 10 {
		t.Errorf("only %d are valid", taken)
	}
}

// reads says whether the operator reads an entry of NO_PROXY as a person means it, as src/vendors has it for --vendor-no-proxy.
func reads(entry string) bool {
	if _, err := netip.ParsePrefix(entry); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(entry); err == nil || entry == "*" {
		return !strings.Contains(entry, "%")
	}
	for _, label := range strings.Split(strings.TrimPrefix(entry, "."), ".") {
		other := func(r rune) bool {
			return !strings.ContainsRune("-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", r)
		}
		if label == "" || strings.ContainsFunc(label, other) {
			return false
		}
	}
	return true
}

func TestNoProxyTakesWhatTheOperatorReadsAndNothingElse(t *testing.T) {
	loaded, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	entries := []string{
		"vault.test", ".test", "Other_1.test", "*", "10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/32", "0.0.0.0/0", "fd00::/128", "::/0",
		"::ffff:10.0.0.1", "1:2:3:4:5:6:1.2.3.4", "1:2::10.0.0.1", "1:2:3:4:5:6:7::", "-a.test",
		"vault.test:8443", "https://vault.test", "vault.test/path", "vault.test/8", "*.test", "10.0.0.1:8443", "10.0.0.0/33", "10.0.0/8",
		"10.0.0.256/8", "010.0.0.0/8", "10.0.0.0/", "10.0.0.0/a", "fd00::/129", "fd00:::/8", "1::2::3", "1::2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "g::", "[::1]",
		"fe80::1%eth0", "a..test", "..test", "test.", ".", "", " ", "a b.test", "b\u00fcro.test", "a.test,b.test", "10.0.0.0/-1", "**",
	}
	taken := 0
	for _, entry := range entries {
		proxy := values{"vendors": values{"proxy": values{"url": "http://proxy.test"}, "noProxy": []any{entry}}}
		text, err := local(loaded, proxy)
		if valid := reads(entry); valid != (err == nil) || valid != strings.Contains(text, fmt.Sprintf("%q", "--vendor-no-proxy="+entry)) {
			t.Errorf("%q: the operator reads it: %t, and the chart says %v", entry, valid, err)
		} else if valid {
			taken++
		} else if !strings.Contains(err.Error(), fmt.Sprintf("vendors.noProxy: %s would match no vendor: write a host", entry)) {
			t.Errorf("%q is refused by other words: %v", entry, err)
		}
	}
	if taken < 15 || taken > len(entries)-20 {
		t.Errorf("%d are taken", taken)
	}
}

// umbrella is the folder of a chart with this one under these aliases.
func umbrella(t *testing.T, aliases ...string) string {
	t.Helper()
	folder := t.TempDir()
	text := "apiVersion: v2\nname: platform\nversion: 1.0.0\ndependencies:\n"
	for _, alias := range aliases {
		text += fmt.Sprintf("- {name: seatkeeper, version: 0.1.0, alias: %s, condition: %s.enabled}\n", alias, alias)
	}
	if err := os.WriteFile(folder+"/Chart.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(folder+"/charts/seatkeeper", os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	return folder
}

// objects counts the objects of a text by kind, namespace and name.
func objects(t *testing.T, text string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for _, document := range strings.Split("\n"+text, "\n---") {
		var object struct {
			Kind     string
			Metadata struct{ Namespace, Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind != "" {
			count[object.Kind+" "+object.Metadata.Namespace+"/"+object.Metadata.Name]++
		}
	}
	return count
}

func twice(count map[string]int) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if count[name] > 1 {
			names = append(names, name)
		}
	}
	return names
}

func TestTwoOperatorsOfAnUmbrellaHaveNamesOfTheirOwnAndOneOfThemTheCRDs(t *testing.T) {
	crds := []string{"CustomResourceDefinition /licenseseats.seatkeeper.dev", "CustomResourceDefinition /seatapprovals.seatkeeper.dev"}
	without := values{"crds": values{"install": false}}
	count := func(chart string, with values) map[string]int {
		return objects(t, rendered(t, chart, with, "1.37.0"))
	}
	two := umbrella(t, "eu", "us")
	if both := twice(count(two, values{})); !slices.Equal(both, crds) {
		t.Errorf("with both of the CRDs, these are there twice: %v", both)
	}
	both := count(two, values{"us": without})
	if again := twice(both); len(again) > 0 || both["Deployment seatkeeper-system/seatkeeper-eu"]+both["Deployment seatkeeper-system/seatkeeper-us"] != 2 {
		t.Errorf("twice: %v, of %v", again, both)
	}
	one := count(two, values{"us": values{"enabled": false}})
	if len(one) == 0 || slices.ContainsFunc(slices.Collect(maps.Keys(one)), func(name string) bool { return strings.Contains(name, "seatkeeper-us") }) {
		t.Errorf("one of them is switched off: %v", one)
	}

	// The release's name has both aliases in it.
	same := umbrella(t, "seat", "keeper")
	if again := twice(count(same, values{"seat": without})); !slices.Contains(again, "Deployment seatkeeper-system/seatkeeper") {
		t.Errorf("say in the README why these do not need a fullnameOverride: %v", again)
	}
	named := values{"keeper": values{"fullnameOverride": "seatkeeper-eu"}, "seat": values{"fullnameOverride": "seatkeeper-us", "crds": without["crds"]}}
	if again := twice(count(same, named)); len(again) > 0 {
		t.Errorf("with a fullnameOverride each, these are there twice: %v", again)
	}
}

func TestAliasThatMakesNoNameOfAServiceIsRefusedAndTakenWithAnotherName(t *testing.T) {
	chart := umbrella(t, "usSeats")
	_, err := render(t, chart, values{}, "1.37.0")
	if err == nil || !strings.Contains(err.Error(), "seatkeeper-usSeats would be the name of a Service") || !strings.Contains(err.Error(), "set fullnameOverride") {
		t.Errorf("%v", err)
	}
	rendered(t, chart, values{"usSeats": values{"fullnameOverride": "seatkeeper-us"}}, "1.37.0")
}
