//! The commands of a page, to be run as they stand there. A command that no test runs is in [`NOT_RUN`] with the reason; one that is in
//! neither place turns the test of its page red.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use seatkeeper_support::{ControlPlane, Output, scratch_dir, workspace_root};

/// The pages that tests follow.
pub const PAGES: [&str; 15] = [
    "README.md",
    "docs/immuta.md",
    "docs/never-buys-twice.md",
    "docs/install.md",
    "docs/upgrade.md",
    "docs/backup.md",
    "docs/who-may-spend.md",
    "docs/gitops.md",
    "docs/alerts.md",
    "docs/platforms.md",
    "docs/policies.md",
    "docs/troubleshooting.md",
    "docs/release.md",
    "charts/seatkeeper/README.md",
    "charts/seatkeeper-crds/README.md",
];

/// Pages for who works on Seatkeeper itself: what they build and test takes minutes, and the workflows run it.
const OF_DEVELOPMENT: [&str; 2] = ["CONTRIBUTING.md", "docs/evidence/mutants.md"];

/// Commands that cannot run here: how each begins, and why.
pub const NOT_RUN: [(&str, &str); 11] = [
    ("docker push", "there is no registry"),
    ("docker tag", "there is no docker"),
    ("make image", "there is no docker; packaging/image-tar-test.sh builds the same image as a file"),
    ("make quickstart", "tests/quickstart.rs follows what it starts"),
    ("cosign verify", "no release is published, and its signatures need GitHub's identity"),
    ("gh attestation verify", "no release is published, and its provenance is at GitHub"),
    ("gh release download", "no release is published"),
    ("kubectl krew install", "no release is published; packaging/test installs the plugin of its files with krew"),
    ("kubectl -n seatkeeper-system logs", "a kubelet serves the log, and a test stands in for the kubelet"),
    ("kubectl get --raw /api/v1/namespaces/seatkeeper-system/pods/POD:8080/proxy/readyz", "pods have no network here"),
    ("oc adm policy", "it is OpenShift's own program, and the policy is an object that OpenShift alone has"),
];

/// What sentences call a command by, without anything to run.
pub const NAMES: [&str; 20] = [
    "docker build",
    "flux reconcile",
    "helm install",
    "helm install --wait",
    "helm pull",
    "helm rollback",
    "helm test",
    "helm uninstall",
    "helm upgrade",
    "helm upgrade --install",
    "helm upgrade --wait",
    "kubectl annotate",
    "kubectl apply",
    "kubectl create",
    "kubectl create -f",
    "kubectl describe",
    "kubectl get",
    "kubectl get -o wide",
    "kubectl scale",
    "kubectl seatkeeper",
];

/// What stands between backticks is a command if it begins with one of these.
const PROGRAMS: [&str; 7] = ["argocd ", "docker ", "flux ", "helm ", "jq ", "kubectl ", "oc "];

/// What commands name by a path in the checkout.
const FOLDERS: [&str; 4] = ["charts", "crds", "examples", "gitops"];

/// The text of a page.
pub fn text(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands of a page: those of its blocks of `sh`, and those between backticks in its sentences.
pub fn commands(page: &str) -> BTreeSet<String> {
    let (mut language, mut commands, mut sentences, mut begun) = (None, BTreeSet::new(), String::new(), String::new());
    for line in page.lines().map(str::trim) {
        if let Some(fence) = line.strip_prefix("```") {
            language = if language.is_some() { None } else { Some(fence) };
            continue;
        }
        match language {
            None => sentences = format!("{sentences} {line}"),
            Some("sh") if line.starts_with('#') && begun.is_empty() => {}
            Some("sh") => {
                begun = format!("{begun} {}", line.trim_end_matches('\\'));
                if !line.ends_with('\\') && begun.matches('\'').count() % 2 == 0 {
                    commands.insert(flowing(&std::mem::take(&mut begun)));
                }
            }
            Some(_) => {}
        }
    }
    let quoted = sentences.split('`').skip(1).step_by(2).map(flowing);
    commands.extend(quoted.filter(|quoted| PROGRAMS.iter().any(|program| quoted.starts_with(program))));
    commands.retain(|command| !command.is_empty());
    commands
}

/// A page that is followed.
pub struct Page {
    path: &'static str,
    commands: BTreeSet<String>,
    left: RefCell<BTreeSet<String>>,
    /// Where commands run: a folder with what they name of the checkout.
    pub folder: PathBuf,
}

impl Page {
    /// Opens one of [`PAGES`].
    pub fn open(path: &'static str) -> Self {
        assert!(PAGES.contains(&path), "{path} is not in the list of pages that are followed");
        let folder = scratch_dir("page");
        for name in FOLDERS {
            symlink(workspace_root().join(name), folder.join(name)).expect("a link");
        }
        Self::of(path, &text(path), folder)
    }

    fn of(path: &'static str, text: &str, folder: PathBuf) -> Self {
        let mut commands = commands(text);
        commands.retain(|command| !NAMES.contains(&command.as_str()));
        let runs = |command: &&String| NOT_RUN.iter().all(|(begins, _)| !command.starts_with(begins));
        let left = commands.iter().filter(runs).cloned().collect();
        Self { path, commands, left: RefCell::new(left), folder }
    }

    /// The one command that begins so. It counts as run from now on.
    pub fn take(&self, begins: &str) -> String {
        let found: Vec<&String> = match self.commands.get(begins) {
            Some(whole) => vec![whole],
            None => self.commands.iter().filter(|command| command.starts_with(begins)).collect(),
        };
        let [command] = found[..] else { panic!("{} has {found:?} for: {begins}", self.path) };
        self.left.borrow_mut().remove(command);
        command.clone()
    }

    /// Runs the command that begins so.
    pub async fn follow(&self, cp: &ControlPlane, begins: &str) -> Output {
        self.follow_but(cp, begins, &[]).await
    }

    /// Runs the command that begins so, with these words replaced by others.
    pub async fn follow_but(&self, cp: &ControlPlane, begins: &str, replaced: &[(&str, &str)]) -> Output {
        let mut command = self.take(begins);
        for (words, others) in replaced {
            assert!(command.contains(words), "{words} is not in: {command}");
            command = command.replacen(words, others, 1);
        }
        cp.shell(&self.folder, &command).await
    }

    /// Runs the commands that begin so as one, for a later one needs what an earlier one sets, and then this line.
    pub async fn follow_together(&self, cp: &ControlPlane, begin: &[&str], then: &str) -> Output {
        let mut lines: Vec<String> = begin.iter().map(|begins| self.take(begins)).collect();
        lines.push(then.to_owned());
        cp.shell(&self.folder, &lines.join("\n")).await
    }

    /// The block of this language that has these words, as it stands in the page.
    pub fn block(&self, language: &str, words: &str) -> String {
        let (text, mut blocks, mut inside) = (text(self.path), Vec::new(), None);
        for line in text.lines() {
            let fence = line.trim().strip_prefix("```");
            inside = match (inside, fence) {
                (None, fence) => fence.map(|language| (language, String::new())),
                (Some((language, block)), None) => Some((language, format!("{block}{line}\n"))),
                (Some((of, block)), Some(_)) => {
                    blocks.extend((of == language && block.contains(words)).then_some(block));
                    None
                }
            };
        }
        assert_eq!(blocks.len(), 1, "{}: blocks with {words}", self.path);
        blocks.remove(0)
    }

    /// What stands between backticks in the page and begins so, in its order.
    pub fn quoted(&self, begins: &str) -> Vec<String> {
        let text = text(self.path);
        let quoted = text.split('`').skip(1).step_by(2).map(flowing);
        quoted.filter(|quoted| quoted.starts_with(begins)).collect()
    }

    /// The page has been followed to its end.
    pub fn close(self) {
        let left = self.left.into_inner();
        let advice =
            "run them in the test that opens this page, or say in NOT_RUN of tests/followed_pages/page.rs why not";
        assert!(left.is_empty(), "{} has commands that no test runs: {left:?}: {advice}", self.path);
    }
}

#[test]
fn commands_of_a_page_are_those_of_blocks_and_between_backticks() {
    let page = "Run `kubectl get\npods` or set `replicas`.\n\n```sh\n# a word before\nhelm install a \\\n  --set b=c\njq '.a |\n  .b' d\n```\n\
                ```yaml\nkubectl: none\n```\n  ```sh\n  true && kubectl get nodes\n  ```\n";
    let expected = ["helm install a --set b=c", "jq '.a | .b' d", "kubectl get pods", "true && kubectl get nodes"];
    assert_eq!(commands(page).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
#[should_panic(expected = "has commands that no test runs: {\"kubectl get nodes\"}")]
fn page_with_untested_command_is_reported() {
    let page =
        Page::of("docs/new.md", "Run `kubectl get pods` and `kubectl get nodes`, not `kubectl apply`.", PathBuf::new());
    page.take("kubectl get pods");
    page.close();
}

#[test]
fn each_command_that_is_not_run_and_each_name_is_still_in_a_page() {
    let all: BTreeSet<String> = PAGES.iter().flat_map(|path| commands(&text(path))).collect();
    for (begins, why) in NOT_RUN {
        assert!(all.iter().any(|command| command.starts_with(begins)), "no page has: {begins} ({why})");
    }
    for name in NAMES {
        assert!(all.contains(name), "no page has: {name}");
    }
}

/// The pages below a folder of the checkout.
fn pages_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(workspace_root().join(folder)).expect(folder).map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().into_string().expect("a name");
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if !folder.is_empty() && entry.path().is_dir() {
            found.extend(pages_below(&path));
        } else if path.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn each_page_with_commands_to_type_is_followed_by_a_test() {
    let all: Vec<String> = ["", "charts", "docs", "gitops"].into_iter().flat_map(pages_below).collect();
    let typed = all.iter().filter(|path| text(path).lines().any(|line| line.trim() == "```sh"));
    let typed: Vec<&String> = typed.collect();
    assert!(typed.len() > 10, "{typed:?}");
    for path in typed {
        let listed = PAGES.contains(&path.as_str()) != OF_DEVELOPMENT.contains(&path.as_str());
        assert!(listed, "{path} has commands: add it to PAGES, and follow it in a test");
    }
    let tests = ["tests/followed_pages.rs", "tests/followed_pages/first_use.rs", "tests/followed_pages/operation.rs"];
    let tests: String = tests.into_iter().chain(["tests/support/tests/chart/releases.rs"]).map(text).collect();
    for path in PAGES {
        assert!(tests.contains(&format!("Page::open(\"{path}\")")), "no test opens {path}");
    }
}
