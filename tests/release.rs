//! What a release is made of is pinned, and its versions agree. Part of `shape`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use seatkeeper_support::scratch_dir;

use crate::root;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn workflows() -> Vec<(PathBuf, String)> {
    let folder = fs::read_dir(root().join(".github/workflows")).unwrap().map(|entry| entry.unwrap().path());
    let read: Vec<_> = folder.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    assert!(read.len() >= 4, "{read:?}");
    read
}

/// What a line of a workflow uses, if it is not pinned by a full commit that is named with its version.
fn unpinned(line: &str) -> Option<&str> {
    let used = line.trim().trim_start_matches("- ").strip_prefix("uses:")?.trim();
    let pinned = used.split_once('@').is_some_and(|(_, at)| {
        let (commit, version) = at.split_once(" # v").unwrap_or((at, ""));
        let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_commit && version.starts_with(|c: char| c.is_ascii_digit())
    });
    (!pinned).then_some(used)
}

/// The image that a line of a Dockerfile begins from, if it is not pinned by digest.
fn undigested(line: &str) -> Option<&str> {
    let image = line.strip_prefix("FROM ")?.split_whitespace().next()?;
    let digest = image.split_once("@sha256:").map_or("", |(_, digest)| digest);
    (digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(image)
}

#[test]
fn action_is_pinned_by_a_commit_and_its_version_and_by_nothing_else() {
    let commit = "08c6903cd8c0fde910a37f88322edcfb5dd907a8";
    assert_eq!(unpinned(&format!("      - uses: actions/checkout@{commit} # v5.0.0")), None);
    assert_eq!(unpinned("- run: echo uses: it"), None);
    for uses in ["actions/checkout@v5", "actions/checkout", &format!("actions/checkout@{commit}"), "./local"] {
        assert_eq!(unpinned(&format!("  uses: {uses}")), Some(uses));
    }
    assert_eq!(undigested("FROM rust:1.95 AS build"), Some("rust:1.95"));
    assert_eq!(undigested(&format!("FROM rust:1.95@sha256:{} AS build", "ab".repeat(32))), None);
}

#[test]
fn workflow_action_is_pinned_by_commit_and_names_version() {
    let mut used = 0;
    for (path, text) in workflows() {
        used += text.matches("uses: ").count();
        for line in text.lines() {
            assert_eq!(unpinned(line), None, "{}: pin it by the commit, with a comment # vX.Y.Z", path.display());
        }
    }
    assert!(used > 10, "only {used} actions: does this test still read the workflows?");
}

#[test]
fn every_base_of_the_image_is_pinned_by_digest() {
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.lines().filter(|line| line.starts_with("FROM ")).count() >= 2, "{dockerfile}");
    assert_eq!(dockerfile.lines().find_map(undigested), None, "pin it: image:tag@sha256:...");
}

#[test]
fn every_workflow_begins_with_the_right_to_read_and_nothing_else() {
    for (path, text) in workflows() {
        assert!(text.lines().any(|line| line == "permissions: { contents: read }"), "{}", path.display());
    }
}

#[test]
fn release_takes_nothing_from_a_cache_that_other_workflows_fill() {
    let release = text(".github/workflows/release.yml");
    assert!(!release.contains("actions/cache@"), "a pull request can fill a cache");
    assert!(!release.contains("pull_request"), "a pull request publishes nothing");
}

#[test]
fn same_rust_version_builds_and_tests_everywhere() {
    let manifest = text("Cargo.toml");
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap().trim_end_matches('"');
    assert!(text("Dockerfile").contains(&format!("FROM rust:{rust}-slim-bookworm@")), "Dockerfile: not Rust {rust}");
    assert!(text("README.md").contains(&format!("Rust {rust}")), "README.md: not Rust {rust}");
    for (path, text) in workflows() {
        for line in text.lines().filter(|line| line.contains("rustup toolchain install")) {
            assert!(line.contains(&format!("install {rust}.0 ")), "{}: not Rust {rust}: {line}", path.display());
        }
    }
}

/// The minor version of Kubernetes that a module of the control plane pins.
fn pinned_kubernetes(module: &str) -> String {
    let pins = text(module);
    let pin = pins.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v")).expect(module);
    pin.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn supported_kubernetes_matches_tests_and_charts() {
    let oldest = pinned_kubernetes("tests/control-plane/oldest/go.mod");
    let newest = pinned_kubernetes("tests/control-plane/go.mod");
    for chart in ["charts/seatkeeper/Chart.yaml", "charts/seatkeeper-crds/Chart.yaml"] {
        assert!(text(chart).contains(&format!("\nkubeVersion: \">={oldest}.0-0\"\n")), "{chart}: not {oldest}");
    }
    // A release between them without pins of its own would be promised and tested by nothing.
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()).expect("a minor");
    let between: Vec<String> = (minor(&oldest) + 1..minor(&newest)).map(|minor| format!("1.{minor}")).collect();
    for release in &between {
        assert_eq!(pinned_kubernetes(&format!("tests/control-plane/{release}/go.mod")), *release);
        assert!(
            text(".github/workflows/nightly.yml").contains(&format!("make kubernetes VERSION={release}\n")),
            "{release}"
        );
    }
    let range = format!("{oldest} to {newest}");
    for page in ["README.md", "SECURITY.md", "docs/install.md", "charts/seatkeeper/README.md", "CONTRIBUTING.md"] {
        assert!(text(page).contains(&range), "{page}: it does not say Kubernetes {range}");
    }
    let [first, .., last] = &between[..] else { panic!("fewer than two releases between them") };
    let tested = format!("{oldest} and {newest} are tested on each change, {first} to {last} each night");
    for page in ["README.md", "docs/install.md", "charts/seatkeeper/README.md"] {
        let flowing = text(page).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(&tested), "{page} must say: {tested}");
    }
    let nightly = format!("each night with {} and {last} (", between[..between.len() - 1].join(", "));
    assert!(text("SECURITY.md").contains(&nightly), "SECURITY.md must say: {nightly}");
}

#[test]
fn changelog_has_only_headings_of_its_form() {
    let changelog = text("CHANGELOG.md");
    assert!(changelog.lines().any(|line| line == "## [Unreleased]"), "CHANGELOG.md has no [Unreleased]");
    let kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let headings: Vec<&str> = changelog.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(!headings.is_empty());
    let foreign: Vec<_> = headings.iter().filter(|heading| !kinds.contains(*heading)).collect();
    assert!(foreign.is_empty(), "CHANGELOG.md: {foreign:?} are not of Keep a Changelog");
}

/// A tree with the files that a release is checked by, whose changelog is this.
fn tree(changelog: &str) -> PathBuf {
    let folder = scratch_dir("release");
    fs::create_dir_all(folder.join("charts/seatkeeper")).unwrap();
    for file in ["Cargo.toml", "charts/seatkeeper/Chart.yaml"] {
        fs::copy(root().join(file), folder.join(file)).unwrap();
    }
    fs::write(folder.join("CHANGELOG.md"), changelog).unwrap();
    folder
}

fn check(tag: &str, tree: &Path) -> Output {
    Command::new(root().join("packaging/release-check.sh")).arg(tag).arg(tree).output().unwrap()
}

fn workspace_version() -> String {
    let manifest = text("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")).expect("a version");
    version.trim_end_matches('"').to_owned()
}

#[test]
fn tag_of_workspace_version_with_changelog_section_may_be_released() {
    let version = workspace_version();
    let changelog = text("CHANGELOG.md").replace("[Unreleased]\n", &format!("[{version}] - 2026-12-01\n"));
    let output = check(&format!("v{version}"), &tree(&changelog));
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn tag_unlike_version_or_without_section_is_refused_with_reason() {
    let version = workspace_version();
    let tag = format!("v{version}");
    let section = format!("## [{version}] - 2026-12-01\n\n- It works.\n");
    let chart = tree(&section);
    let path = chart.join("charts/seatkeeper/Chart.yaml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("appVersion: ", "appVersion: 9")).unwrap();
    for (tag, tree, reason) in [
        ("v99.0.0", tree(&section), "Cargo.toml says"),
        ("99.0.0", tree(&section), "is not like v1.2.3"),
        (&tag, tree("## [Unreleased]\n\n- Something.\n"), "says nothing of"),
        (&tag, tree(&format!("## [{version}] - 2026-12-01\n\n## [0.0.1] - 2026-11-01\n\n- Old.\n")), "says nothing of"),
        (&tag, chart, "appVersion of"),
    ] {
        let output = check(tag, &tree);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{tag}: {reason}: {said}");
    }
}

#[test]
fn notes_of_a_release_are_its_section_alone() {
    let folder = tree(
        "# Changelog\n\n## [Unreleased]\n\n- New.\n\n## [1.10.0] - 2026-12-01\n\n### Fixed\n\n- It.\n\n## [1.1.0] - 2026-11-01\n\n- Old.\n\n[1.10.0]: https://example.com\n",
    );
    let notes = |version: &str| {
        let script = root().join("packaging/changelog.sh");
        let output = Command::new(script).arg(version).arg(folder.join("CHANGELOG.md")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(notes("1.10.0"), "### Fixed\n\n- It.\n");
    assert_eq!(notes("1.1.0"), "- Old.\n");
    assert_eq!(notes("1.1"), "");
}
