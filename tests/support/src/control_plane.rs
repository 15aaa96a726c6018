//! One private etcd and kube-apiserver: start, stop, reach.
//!
//! Nothing is shared with other test processes: ports are free loopback ports, the CA is its own, the data lies in the
//! scratch directory. No controller-manager runs, so namespaces are made but never finish being deleted; they go away
//! with everything else.

use crate::audit::{Audit, AuditMark};
use crate::guardian;
use crate::http::{http_get, post_json};
use crate::launch;
use crate::pki::{Pki, base64, write_private};
use crate::process::{Process, free_ports};
use crate::wait::skipping;
use http::Request;
use kube::{Client, Config};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// A private etcd and kube-apiserver. Dropping it kills both and removes their data.
#[derive(Debug)]
pub struct ControlPlane {
    apiserver: Mutex<Option<Process>>, // dropped in this order: first the processes, then their data
    etcd: Mutex<Option<Process>>,
    data: DataDir,
    pub(crate) pki: Pki,
    config: Config,
    etcd_address: SocketAddr,
    etcd_peer_port: u16,
    port: u16,
    shared: bool,
}

#[derive(Debug)]
struct DataDir(PathBuf);

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // what is left over goes with the scratch directory
    }
}

impl ControlPlane {
    /// Starts a control plane of the caller's own: bare, without CRD and chart (see
    /// [`install_chart`](Self::install_chart)).
    ///
    /// # Panics
    /// When it does not become ready, with the tail of its logs; when a tool is missing, with the command that mends it.
    pub async fn start() -> Self {
        Self::try_start(false).await.unwrap_or_else(|message| panic!("{message}"))
    }

    /// The control plane of this test process, with CRD and chart installed; the first caller starts it.
    ///
    /// Each test has its own runtime, so take a new [`admin`](Self::admin) client in each.
    ///
    /// # Panics
    /// Like [`start`](Self::start); every test that asks later gets the same message at once.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Result<ControlPlane, String>> = OnceCell::const_new();
        let started = SHARED.get_or_init(async || {
            let cp = Self::try_start(true).await?;
            cp.try_install_chart(&[]).await?;
            Ok(cp)
        });
        started.await.as_ref().unwrap_or_else(|message| panic!("{message}"))
    }

    async fn try_start(shared: bool) -> Result<Self, String> {
        if skipping() {
            let why = "SKIP_CONTROL_PLANE is set, so no control plane is started";
            return Err(format!("{why}: a test that needs one begins with needs_control_plane!()"));
        }
        match Self::launch(shared).await {
            // Ports were free when chosen, yet somebody was faster: choose others, once.
            Err(message) if message.contains("address already in use") => Self::launch(shared).await,
            result => result,
        }
    }

    async fn launch(shared: bool) -> Result<Self, String> {
        let [client_port, peer_port, port] = free_ports();
        let dir = guardian::scratch_dir("control-plane");
        let pki = Pki::generate(&dir).map_err(|error| format!("no certificates: {error}"))?;
        launch::write_audit_policy(&dir).map_err(|error| error.to_string())?;
        let kubeconfig = pki.admin_kubeconfig(&format!("https://127.0.0.1:{port}"));
        write_private(&dir.join("admin.kubeconfig"), &kubeconfig);
        let config = launch::client_config(&kubeconfig).await;

        let etcd_address = SocketAddr::from((Ipv4Addr::LOCALHOST, client_port));
        let (apiserver, etcd) = (Mutex::new(None), Mutex::new(None));
        let data = DataDir(dir);
        let cp = Self { apiserver, etcd, data, pki, config, etcd_address, etcd_peer_port: peer_port, port, shared };
        cp.launch_etcd().await?;
        cp.launch_apiserver().await?;
        Ok(cp)
    }

    async fn launch_etcd(&self) -> Result<(), String> {
        let command = launch::etcd(self.dir(), self.etcd_address.port(), self.etcd_peer_port);
        let process = Process::spawn("etcd", &command);
        let health = async || http_get(self.etcd_address, "/health").await.is_ok_and(|reply| reply.status == 200);
        launch::until_ready("etcd", &process, health).await?;
        *self.etcd() = Some(process);
        Ok(())
    }

    async fn launch_apiserver(&self) -> Result<(), String> {
        let process =
            Process::spawn("kube-apiserver", &launch::apiserver(self.dir(), &self.pki, self.etcd_address, self.port));
        // Without kube's retries, which would outlast the polling; /readyz includes the bootstrap of the RBAC roles.
        let mut config = self.config.clone();
        config.default_retry = false;
        config.read_timeout = Some(Duration::from_secs(5));
        let client = Client::try_from(config).map_err(|error| error.to_string())?;
        let ready = async || {
            let request = Request::get("/readyz").body(Vec::new()).expect("a well-formed request");
            client.request_text(request).await.is_ok()
        };
        launch::until_ready("kube-apiserver", &process, ready).await?;
        *self.apiserver() = Some(process);
        Ok(())
    }

    /// A new client of an administrator (`system:masters`), for set-up and for looking. Never share it between tests:
    /// it belongs to the runtime it is made in.
    #[must_use]
    pub fn admin(&self) -> Client {
        Client::try_from(self.config.clone()).expect("the admin kubeconfig is well-formed")
    }

    /// A new client for a kubeconfig, for example [`operator_kubeconfig`](Self::operator_kubeconfig).
    pub async fn client_of(&self, kubeconfig: &Path) -> Client {
        let text = fs::read_to_string(kubeconfig).expect("a kubeconfig");
        Client::try_from(launch::client_config(&text).await).expect("the kubeconfig is well-formed")
    }

    /// The administrator's kubeconfig file.
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.dir().join("admin.kubeconfig")
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.data.0
    }

    /// Where the apiserver listens.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The requests that the apiserver has answered so far.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.audit_since(AuditMark::default())
    }

    /// The requests answered after `mark`.
    #[must_use]
    pub fn audit_since(&self, mark: AuditMark) -> Audit {
        Audit::read(&self.audit_log(), mark)
    }

    /// The present end of the audit log.
    #[must_use]
    pub fn audit_mark(&self) -> AuditMark {
        AuditMark::at_end_of(&self.audit_log())
    }

    fn audit_log(&self) -> PathBuf {
        launch::audit_log(self.dir())
    }

    /// Puts bytes into etcd behind the apiserver's back, for example an object that no longer parses, at
    /// `/registry/seatkeeper.dev/licenseseats/<namespace>/<name>`.
    ///
    /// # Panics
    /// When etcd refuses.
    pub async fn etcd_put(&self, key: &str, value: &[u8]) {
        let body = format!(r#"{{"key":"{}","value":"{}"}}"#, base64(key.as_bytes()), base64(value));
        let reply = post_json(self.etcd_address, "/v3/kv/put", &body).await.expect("etcd answers");
        assert_eq!(reply.status, 200, "etcd refuses {key}: {}", reply.body);
    }

    /// Starts controller-manager and scheduler beside it: Deployments get pods, and pods a node if there is one. They end when they are
    /// dropped. Not for the shared control plane.
    #[must_use]
    pub fn start_controllers(&self) -> [Process; 2] {
        self.assert_own("given controllers");
        let kubeconfig = self.kubeconfig_path();
        let [manager, scheduler] = launch::controllers(self.dir(), &self.pki, &kubeconfig, free_ports());
        [Process::spawn("kube-controller-manager", &manager), Process::spawn("kube-scheduler", &scheduler)]
    }

    /// Starts kwok in the place of every kubelet: nodes become ready, and their pods too, though no container runs. It ends when it is
    /// dropped. Not for the shared control plane.
    #[must_use]
    pub fn start_kwok(&self) -> Process {
        self.assert_own("given kubelets");
        Process::spawn("kwok", &launch::kwok(self.dir(), &self.kubeconfig_path()))
    }

    /// Kills the apiserver; etcd keeps the data. Not for the shared control plane.
    pub fn stop_apiserver(&self) {
        self.assert_own("stopped");
        drop(self.apiserver().take());
    }

    /// Starts the apiserver again, on the same port and data.
    ///
    /// # Panics
    /// When it runs already or does not become ready.
    pub async fn start_apiserver(&self) {
        self.assert_own("started");
        assert!(self.apiserver().is_none(), "the apiserver runs already");
        self.launch_apiserver().await.unwrap_or_else(|message| panic!("{message}"));
    }

    /// Kills etcd; its data stay, and the apiserver goes on without it. Not for the shared control plane.
    pub fn stop_etcd(&self) {
        self.assert_own("left without etcd");
        drop(self.etcd().take());
    }

    /// Starts etcd again, on the same ports and data.
    ///
    /// # Panics
    /// When it runs already or does not become ready.
    pub async fn start_etcd(&self) {
        self.assert_own("given etcd");
        assert!(self.etcd().is_none(), "etcd runs already");
        self.launch_etcd().await.unwrap_or_else(|message| panic!("{message}"));
    }

    /// Copies etcd's data as a power cut would leave them, for [`restore_etcd`](Self::restore_etcd). Not for the shared
    /// control plane.
    ///
    /// # Panics
    /// When etcd does not run or the copy fails.
    pub fn save_etcd(&self) -> PathBuf {
        self.assert_own("saved");
        let saved = guardian::scratch_dir("etcd-saved");
        let etcd = self.etcd();
        let etcd = etcd.as_ref().expect("etcd runs");
        etcd.signal("STOP");
        let copied = copy_dir(&launch::etcd_data(self.dir()), &saved);
        etcd.signal("CONT");
        copied.expect("etcd's data can be copied");
        saved
    }

    /// Kills apiserver and etcd, puts saved data in the place of etcd's, and starts both: a cluster that was restored
    /// from a backup.
    ///
    /// # Panics
    /// When the data cannot be replaced, or one of them does not become ready.
    pub async fn restore_etcd(&self, saved: &Path) {
        self.assert_own("restored");
        drop(self.apiserver().take());
        drop(self.etcd().take());
        let data = launch::etcd_data(self.dir());
        fs::remove_dir_all(&data).expect("etcd's data can be removed");
        copy_dir(saved, &data).expect("the saved data can be copied back");
        self.launch_etcd().await.unwrap_or_else(|message| panic!("{message}"));
        self.launch_apiserver().await.unwrap_or_else(|message| panic!("{message}"));
    }

    /// Sends the apiserver a signal: after `STOP` connections open but nobody answers, until `CONT`. Not for the shared
    /// control plane.
    pub fn signal_apiserver(&self, signal: &str) {
        self.assert_own("signalled");
        self.apiserver().as_ref().expect("the apiserver runs").signal(signal);
    }

    fn assert_own(&self, what: &str) {
        assert!(!self.shared, "the shared apiserver is not {what}: other tests use it; take ControlPlane::start()");
    }

    fn apiserver(&self) -> MutexGuard<'_, Option<Process>> {
        self.apiserver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn etcd(&self) -> MutexGuard<'_, Option<Process>> {
        self.etcd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
