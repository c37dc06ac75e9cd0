//! Servers that are hostile to commands, copies, forwarded ports and logs: the client takes little of what they send, gets
//! one clear error, and no task remains.
//!
//! Violations of the protocols within a connection that is switched have more cases in `crates/streams/tests/it`.

use expect_test::expect;
use klient_streams::websocket::accept_key;

use crate::hostile_server::{
    ALL, Attack, COMMANDS, Operation::Logs, SUCCESS, SWITCHED, check, frame, message,
};
use crate::raw_spdy::{GOAWAY, PING, RST_STREAM, SYN_REPLY, WINDOW_UPDATE, control};

#[tokio::test(start_paused = true)]
async fn a_refusal_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let head =
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n";
            asked.say(&format!("{head}{{\"kind\":")).await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_an_end() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked
                .say("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{\"message\":\"")
                .await;
            while asked.send(&[b'a'; 16 * 1024]).await {}
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: exec in pod web: the response is longer than 1048576 bytes
        Attach: attach in pod web: the response is longer than 1048576 bytes
        Forward: port forwarding to pod web: the response is longer than 1048576 bytes
        CopyFrom: exec in pod web: the response is longer than 1048576 bytes
        CopyTo: exec in pod web: the response is longer than 1048576 bytes
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: the response is longer than 8388608 bytes
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upg").await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: connection closed before message completed
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: connection closed before message completed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: connection closed before message completed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn another_protocol_than_http() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("SSH-2.0-OpenSSH_9.9\r\n").await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: the response is no HTTP: the server may speak TLS, whose URL begins with https://: invalid HTTP version parsed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let location = "Location: http://other.example/api/v1/namespaces/shop/pods/web/exec";
            asked
                .say(&format!(
                    "HTTP/1.1 302 Found\r\n{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Attach: attach in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Forward: port forwarding to pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        CopyFrom: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        CopyTo: exec in pod web: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: the server redirects to http://other.example/api/v1/namespaces/shop/pods/web/exec, which is not followed
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_mebibyte() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say(&format!("HTTP/1.1 403 Forbidden\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20))).await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: message head is too large
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: message head is too large
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: message head is too large
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: message head is too large
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_headers() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say(&format!("HTTP/1.1 403 Forbidden\r\n{}\r\n", "A: b\r\n".repeat(100_000))).await;
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: cannot decode the response: message head is too large
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: cannot decode the response: message head is too large
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: cannot decode the response: message head is too large
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: cannot decode the response: message head is too large
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: cannot decode the response: message head is too large
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_without_an_answer() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            asked.stay().await;
        })
    };
    check(&ALL, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: timed out: no answer within 75 s
        Attach: GET http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: timed out: no answer within 75 s
        Forward: GET http://server.example/api/v1/namespaces/shop/pods/web/portforward: timed out: no answer within 75 s
        CopyFrom: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: timed out: no answer within 75 s
        CopyTo: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: timed out: no answer within 75 s
        Logs: goes on for ever
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_another_protocol() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked
                .say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET http://server.example/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "websocket"
        Attach: POST http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        Forward: POST http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        CopyFrom: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
        CopyTo: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "h2c" in place of "SPDY/3.1"
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_nobody_asked_for() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked
                .say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                .await;
            asked.stay().await;
        })
    };
    check(&[Logs], attack, expect![[r#"
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: the server responded with the status code 101 but did not return more information
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_key() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let key = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
            let protocol = if asked.wants_websocket() { "websocket" } else { "SPDY/3.2" };
            asked
                .say(&format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
                     Sec-WebSocket-Accept: {key}\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server did not answer the key of the WebSocket
        Attach: POST http://server.example/api/v1/namespaces/shop/pods/web/attach?stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        Forward: POST http://server.example/api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        CopyFrom: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=tar&command=cf&command=-&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
        CopyTo: POST http://server.example/api/v1/namespaces/shop/pods/web/exec?command=test&command=-d&command=%2Ffile&stdout=true&stderr=true: connection closed before the response was complete: unable to upgrade connection: the server switched to the protocol "SPDY/3.2" in place of "SPDY/3.1"
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_not_offered() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            let accept = accept_key(asked.header("sec-websocket-key"));
            let (protocol, name) = match asked.wants_websocket() {
                true => ("websocket", "Sec-WebSocket-Protocol"),
                false => ("SPDY/3.1", "X-Stream-Protocol-Version"),
            };
            asked
                .say(&format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n{name}: v9.channel.k8s.io\r\n\r\n"
                ))
                .await;
            asked.stay().await;
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: GET /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        Attach: POST /api/v1/namespaces/shop/pods/web/attach: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        Forward: POST /api/v1/namespaces/shop/pods/web/portforward: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        CopyFrom: POST /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
        CopyTo: POST /api/v1/namespaces/shop/pods/web/exec: connection closed before the response was complete: unable to upgrade connection: the server chose a protocol that was not offered
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_and_an_end() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection broke: unexpected EOF
        Attach: attach in pod web: the connection broke: unexpected EOF
        Forward: port 80 of pod web: the connection broke: unexpected EOF
        CopyFrom: copying /file from pod web: exec in pod web: the connection broke: unexpected EOF
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the connection broke: unexpected EOF
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_spdy_and_an_end() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            // The connection ends with what the result has.
            asked.switch_to_spdy().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection is closed
        Attach: attach in pod web: the connection is closed
        Forward: port 80 of pod web: the connection is closed
        CopyFrom: exec in pod web: the connection is closed
        CopyTo: exec in pod web: the connection is closed
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_spdy_and_silence() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            if let Some(mut peer) = asked.switch_to_spdy().await {
                while peer.read().await.is_some() {}
            }
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer did not accept a stream within 30 s
        Attach: attach in pod web: the peer did not accept a stream within 30 s
        Forward: port 80 of pod web: the peer did not accept a stream within 30 s
        CopyFrom: exec in pod web: the peer did not accept a stream within 30 s
        CopyTo: exec in pod web: the peer did not accept a stream within 30 s
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn text_messages() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&frame(1, b"hello")).await;
            asked.stay().await;
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer sent a text message
        Attach: attach in pod web: the peer sent a text message
        Forward: port 80 of pod web: the peer sent a text message in a tunnel
        CopyFrom: copying /file from pod web: exec in pod web: the peer sent a text message
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the peer sent a text message
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_for_unknown_channels() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            for channel in [9, 77, 255, 0, 4] {
                asked.send(&message(channel, b"data")).await;
            }
            asked.send(&message(3, SUCCESS)).await;
            asked.stay().await;
        })
    };
    check(&COMMANDS, attack, expect![[r#"
        Exec: exec in pod web: the end of a channel has 4 bytes in place of one
        Attach: attach in pod web: the end of a channel has 4 bytes in place of one
        CopyFrom: copying /file from pod web: exec in pod web: the end of a channel has 4 bytes in place of one
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the end of a channel has 4 bytes in place of one
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn a_status_message_of_a_hundred_mebibytes() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&message(3, b"{\"message\":\"")).await;
            for _ in 0..100 * 32 {
                if !asked.send(&message(3, &[b'a'; 32 * 1024])).await {
                    return;
                }
            }
            asked.stay().await;
        })
    };
    check(
        &COMMANDS,
        attack,
        expect![[r#"
        Exec: exec in pod web: the error stream has more than 1048576 bytes
        Attach: attach in pod web: the error stream has more than 1048576 bytes
        CopyFrom: copying /file from pod web: exec in pod web: the error stream has more than 1048576 bytes
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the error stream has more than 1048576 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_a_hundred_mebibytes() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&[&[0x82, 127][..], &(100_u64 << 20).to_be_bytes()].concat()).await;
            while asked.send(&[0; 1024]).await {}
        })
    };
    check(&SWITCHED, attack, expect![[r#"
        Exec: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
        Attach: attach in pod web: a message is too large: Message too long: 104857600 > 4194304
        Forward: port 80 of pod web: a message is too large: Message too long: 104857600 > 4194304
        CopyFrom: copying /file from pod web: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
        CopyTo: copying LOCAL/file to pod web: exec in pod web: a message is too large: Message too long: 104857600 > 4194304
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_status() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.switch().await;
            asked.send(&message(1, b"output")).await;
            asked.send(&frame(8, &[3, 0xe8])).await;
            asked.stay().await;
        })
    };
    check(&COMMANDS, attack, expect![[r#"
        Exec: exec in pod web: the connection was closed before the command's exit status
        Attach: attach in pod web: the connection was closed before the command's exit status
        CopyFrom: copying /file from pod web: exec in pod web: the connection was closed before the command's exit status
        CopyTo: copying LOCAL/file to pod web: exec in pod web: the connection was closed before the command's exit status
    "#]]).await;
}

#[tokio::test(start_paused = true)]
async fn half_a_header_block() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let block = peer.block(&[("a", "b")]);
            let half = [&1_u32.to_be_bytes()[..], &block[..block.len() / 2]].concat();
            // The client may end the connection meanwhile, here and below.
            let _ = peer.try_send(&control(SYN_REPLY, 0, &half)).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a header block ends within a header
        Attach: attach in pod web: a header block ends within a header
        Forward: port 80 of pod web: a header block ends within a header
        CopyFrom: exec in pod web: a header block ends within a header
        CopyTo: exec in pod web: a header block ends within a header
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_compression_bomb() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let block = peer.compressed(&vec![0; 16 * 1024 * 1024]);
            let _ = peer.try_send(&control(SYN_REPLY, 0, &[&1_u32.to_be_bytes()[..], &block].concat())).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a header block is larger than 65536 bytes
        Attach: attach in pod web: a header block is larger than 65536 bytes
        Forward: port 80 of pod web: a header block is larger than 65536 bytes
        CopyFrom: exec in pod web: a header block is larger than 65536 bytes
        CopyTo: exec in pod web: a header block is larger than 65536 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_control_frame_of_16_mebibytes() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let _ = peer.try_send(&control(SYN_REPLY, 0, &vec![0; (1 << 24) - 1])).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: a control frame is larger than 66560 bytes
        Attach: attach in pod web: a control frame is larger than 66560 bytes
        Forward: port 80 of pod web: a control frame is larger than 66560 bytes
        CopyFrom: exec in pod web: a control frame is larger than 66560 bytes
        CopyTo: exec in pod web: a control frame is larger than 66560 bytes
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_unknown_streams() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let numbers = |numbers: [u32; 2]| numbers.map(u32::to_be_bytes).concat();
            let frames = [
                control(RST_STREAM, 0, &numbers([99, 1])),
                control(WINDOW_UPDATE, 0, &numbers([98, 1])),
                [&97_u32.to_be_bytes()[..], &[1, 0, 0, 1, 7]].concat(),
                control(77, 0, b"of an unknown kind"),
                control(GOAWAY, 0, &numbers([0, 0])),
            ];
            let _ = peer.try_send(&frames.concat()).await;
            while peer.read().await.is_some() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the connection is closed
        Attach: attach in pod web: the connection is closed
        Forward: port 80 of pod web: the connection is closed
        CopyFrom: exec in pod web: the connection is closed
        CopyTo: exec in pod web: the connection is closed
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_without_readers() {
    let attack: Attack = |asked| {
        Box::pin(async move {
            let Some(mut peer) = asked.switch_to_spdy().await else { return };
            let pings = control(PING, 0, &2_u32.to_be_bytes()).repeat(1000);
            while peer.try_send(&pings).await.is_ok() {}
        })
    };
    check(
        &SWITCHED,
        attack,
        expect![[r#"
        Exec: exec in pod web: the peer does not read the answers to its frames
        Attach: attach in pod web: the peer does not read the answers to its frames
        Forward: port 80 of pod web: the peer does not read the answers to its frames
        CopyFrom: exec in pod web: the peer does not read the answers to its frames
        CopyTo: exec in pod web: the peer does not read the answers to its frames
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off() {
    let attack: Attack = |mut asked| {
        Box::pin(async move {
            asked.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\none\ntwo\nthr").await;
        })
    };
    check(&[Logs], attack, expect![[r#"
        Logs: GET http://server.example/api/v1/namespaces/shop/pods/web/log: connection closed before the response was complete: error reading a body from connection: end of file before message length reached
    "#]]).await;
}
