//! [`Cutting`], connections to the server that are cut at a time.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::playground::Playground;

/// A relay in front of the server.
pub(crate) struct Cutting {
    pub(crate) address: String,
    cut: watch::Sender<bool>,
}

impl Cutting {
    pub(crate) async fn before(playground: &Playground) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (cut, is_cut) = watch::channel(false);
        let to = playground.address();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut is_cut = is_cut.clone();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = is_cut.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Cutting { address, cut }
    }

    /// Closes all connections, without a word of the protocols above.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }
}
