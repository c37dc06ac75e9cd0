//! Both ends of the protocols, each against klient's other end and against peers that send bytes of their own.

mod beside_go;
mod connections;
mod hostile_spdy;
mod hostile_websocket;
mod port_forward;
mod raw_spdy;
mod remote_command;
mod sessions;
