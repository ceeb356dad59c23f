//! The bare proxy that everything is compared with: `upstream_peer` and nothing else, pingora's defaults, one thread, the same
//! allocator and profile.

use std::net::SocketAddr;

use async_trait::async_trait;
use pingora::Result;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service_with_name};
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::upstreams::peer::HttpPeer;

struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

/// Serves until the process is ended. pingora cannot tell which port it got, so a free one is looked for first.
pub(crate) fn serve(origin: SocketAddr) {
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a free port");
    let conf = ServerConf { threads: 1, work_stealing: false, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    let mut service =
        http_proxy_service_with_name(&server.configuration, Bare(origin), super::measure::DATA);
    service.add_tcp(&address.to_string());
    server.add_service(service);
    super::arms::announce(address);
    server.run(RunArgs::default());
}
