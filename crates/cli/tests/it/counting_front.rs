//! [`CountingFront`], an HTTP proxy in front of a server that notes all requests.

use std::sync::{Arc, Mutex};

use http::Method;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY};
use klient_client::Client;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes GET requests on to a server, over plain HTTP and as the user of a client.
pub(crate) struct CountingFront {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl CountingFront {
    pub(crate) async fn of(client: Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = requests.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, client.clone(), noted.clone()));
            }
        });
        CountingFront { url, requests, accepting }
    }

    /// A kubeconfig of the front.
    pub(crate) fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c}}}}]\ncurrent-context: c\n",
            url = self.url
        )
    }

    /// The requests since the last call: path and status code, in alphabetical order.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let mut requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests.sort();
        requests
    }
}

impl Drop for CountingFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers the requests of one connection.
async fn serve(stream: TcpStream, client: Client, requests: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match stream.read_line(&mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => head.push(line.trim_end().to_owned()),
            }
        }
        let uri = head[0].split(' ').nth(1).unwrap();
        let mut request = client.request(Method::GET).request_uri(uri);
        for (name, value) in head[1..].iter().filter_map(|line| line.split_once(": ")) {
            let name: HeaderName = name.parse().unwrap();
            if name == ACCEPT || name == IF_NONE_MATCH {
                request = request.header(name, value);
            }
        }
        let (code, headers, body) = match request.send().await {
            Ok(response) => {
                let kept = [CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY].into_iter().filter_map(|name| {
                    let value = response.headers().get(&name)?.to_str().unwrap();
                    Some(format!("{name}: {value}\r\n"))
                });
                (response.status().as_u16(), kept.collect::<String>(), response.bytes().clone())
            }
            Err(error) => (error.code().unwrap_or(502), String::new(), Default::default()),
        };
        let path = uri.split('?').next().unwrap_or_default();
        requests.lock().unwrap().push(format!("{path} {code}"));
        let length = if code == 304 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let answer = format!("HTTP/1.1 {code} X\r\n{length}{headers}\r\n");
        let answer = [answer.as_bytes(), &body].concat();
        if stream.get_mut().write_all(&answer).await.is_err() {
            return;
        }
    }
}
