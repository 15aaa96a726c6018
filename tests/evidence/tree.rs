//! A copy of the sources, in which guards are missing. The checkout itself is never changed.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::guard::{Guard, Seen, Test};

/// The copy, and where it is built.
pub struct Tree {
    sources: PathBuf,
    built: PathBuf,
}

impl Tree {
    /// Copies what git knows of, changed or not, to `target/evidence`.
    pub fn copy_of(root: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = root.join("target/evidence");
        let tree = Self { sources: folder.join("sources"), built: folder.join("built") };
        let names = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = Command::new("git").args(names).current_dir(root).output()?;
        for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (root.join(name), tree.sources.join(name));
            // A file that is deleted and not yet committed is still listed.
            if let Ok(bytes) = std::fs::read(&from) {
                write_if_other(&to, &bytes)?;
                std::fs::set_permissions(&to, std::fs::metadata(&from)?.permissions())?;
            }
        }
        Ok(tree)
    }

    /// Runs tests with every guard in its place, those of a program at once; says which do not pass.
    pub fn failing_with_all<'a>(&self, tests: &BTreeSet<&'a Test>) -> Result<BTreeSet<&'a Test>, Box<dyn Error>> {
        let (by_name, alone): (Vec<&Test>, Vec<&Test>) = tests.iter().partition(|test| test.is_by_name());
        let mut failing = BTreeSet::new();
        for test in alone {
            if self.run(test)? != Seen::Green {
                failing.insert(test);
            }
        }
        let mut programs: BTreeMap<&[&str], Vec<&Test>> = BTreeMap::new();
        for test in by_name {
            programs.entry(test.program()).or_default().push(test);
        }
        for (program, tests) in programs {
            let mut cargo = self.cargo(program);
            cargo.args(["--", "--exact"]).args(tests.iter().map(|test| test.name()));
            let said = String::from_utf8_lossy(&cargo.output()?.stdout).into_owned();
            let passes = |test: &&Test| said.lines().any(|line| line == format!("test {} ... ok", test.name()));
            failing.extend(tests.into_iter().filter(|test| !passes(test)));
        }
        Ok(failing)
    }

    fn cargo(&self, program: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        // An optimized build of the operator takes longer than a test that is slower.
        cargo.args(["test", "--locked", "--config", "profile.dev.package.seatkeeper.opt-level=0"]);
        cargo.arg("--target-dir").arg(&self.built).args(program).current_dir(&self.sources);
        cargo
    }

    /// Runs the test of a guard without the guard.
    pub fn without(&self, guard: &Guard) -> Result<Seen, Box<dyn Error>> {
        let path = self.sources.join(&guard.file);
        let whole = std::fs::read_to_string(&path)?;
        std::fs::write(&path, guard.replaced(&whole)?)?;
        let run = self.run(&guard.red);
        std::fs::write(&path, whole)?;
        run
    }

    fn run(&self, test: &Test) -> Result<Seen, Box<dyn Error>> {
        let name = test.name();
        let mut cargo = self.cargo(test.program());
        let passes = matches!(test, Test::Conformance(_));
        if passes {
            cargo.envs([("FAULT_KIND", "conformance"), ("FAULT_CASE", name)]);
        } else {
            cargo.args(["--", "--exact", name]);
        }
        let words = match test {
            Test::Conformance(_) => Some(" passes of the model, "),
            Test::Years => Some("simulated years: "),
            _ => None,
        };
        let output = cargo.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if let Some(words) = words {
            return Ok(match output.status.success() {
                true => Seen::Green,
                false if said.contains(words) => Seen::Red,
                false => Seen::NotPlayed,
            });
        }
        let line =
            |end: &str| said.lines().any(|line| line.starts_with(&format!("test {name}")) && line.ends_with(end));
        Ok(match () {
            () if said.contains(&format!("---- {name} stdout ----")) || line("FAILED") => Seen::Red,
            () if said.contains("1 passed") => Seen::Green,
            () => Seen::NotPlayed,
        })
    }
}

fn write_if_other(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(to, bytes)
}
