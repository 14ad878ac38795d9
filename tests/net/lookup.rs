//! Addresses: everything that can be turned into them.

use crate::support::{caught, listener, nobodys_address, now, poll_once, run};
use handspun::executor::Executor;
use handspun::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket, lookup_host};
use handspun::time::Duration;
use handspun::trace::Event;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The addresses of what needs not be looked up: they are there in the first poll, and where no
/// executor runs.
#[track_caller]
fn known(host: impl ToSocketAddrs) -> Vec<SocketAddr> {
    now(lookup_host(host)).unwrap().collect()
}

fn v4(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn v6(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::LOCALHOST, port))
}

#[test]
fn an_address_needs_no_look_up() {
    assert_eq!(known(v4(80)), [v4(80)]);
    assert_eq!(known(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80)), [v4(80)]);
    assert_eq!(known(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0)), [v6(80)]);
    assert_eq!(known((IpAddr::V6(Ipv6Addr::LOCALHOST), 80)), [v6(80)]);
    assert_eq!(known((Ipv4Addr::LOCALHOST, 80)), [v4(80)]);
    assert_eq!(known((Ipv6Addr::LOCALHOST, 80)), [v6(80)]);
}

#[test]
fn several_addresses_are_kept_in_their_order() {
    let three = [v4(3), v6(1), v4(2)];
    assert_eq!(known(three), three);
    assert_eq!(known(&three[..]), three);
    let lent: &[SocketAddr; 3] = &three;
    assert_eq!(known(lent), three);
    assert_eq!(known(&[][..]), []);
}

#[test]
fn an_address_that_is_written_as_text_needs_no_look_up() {
    assert_eq!(known("127.0.0.1:80"), [v4(80)]);
    assert_eq!(known("[::1]:80"), [v6(80)]);
    assert_eq!(known("127.0.0.1:80".to_string()), [v4(80)]);
    assert_eq!(known(("127.0.0.1", 80)), [v4(80)]);
    assert_eq!(known(("::1", 80)), [v6(80)]);
    let owned = ("127.0.0.1".to_string(), 80);
    assert_eq!(known(&owned), [v4(80)]);
    assert_eq!(known(owned), [v4(80)]);
}

#[test]
fn a_name_is_looked_up() {
    run(async {
        async fn is_looked_up(host: impl ToSocketAddrs) {
            let found: Vec<SocketAddr> = lookup_host(host).await.unwrap().collect();
            assert!(!found.is_empty());
            assert!(found.iter().all(|found| found.ip().is_loopback() && found.port() == 80));
        }
        is_looked_up("localhost:80").await;
        is_looked_up("localhost:80".to_string()).await;
        is_looked_up(("localhost", 80)).await;
        is_looked_up(("localhost".to_string(), 80)).await;
        is_looked_up(&("localhost", 80)).await;
    });
}

#[test]
fn sockets_take_names_too() {
    run(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(address.ip().is_loopback());
        let stream = TcpStream::connect(("localhost", address.port())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);

        let here = UdpSocket::bind(("localhost", 0)).await.unwrap();
        let there = UdpSocket::bind((here.local_addr().unwrap().ip(), 0)).await.unwrap();
        let port = there.local_addr().unwrap().port();
        assert_eq!(here.send_to(b"by name", ("localhost", port)).await.unwrap(), 7);
        assert_eq!(there.recv(&mut [0; 9]).await.unwrap(), 7);
        here.connect(format!("localhost:{port}")).await.unwrap();
        assert_eq!(here.peer_addr().unwrap(), there.local_addr().unwrap());
    });
}

#[test]
fn a_name_that_is_none_is_an_error() {
    run(async {
        // `.invalid` is reserved for names that do not exist. (But the machine's own resolver may
        // be slow to say so: a label that is too long is refused before anybody is asked.)
        let too_long = "a".repeat(64);
        assert!(lookup_host((too_long.as_str(), 80)).await.is_err());
        assert!(lookup_host(format!("{too_long}:80")).await.is_err());
        assert!(TcpListener::bind((too_long.as_str(), 80)).await.is_err());
        assert!(TcpStream::connect((too_long.as_str(), 80)).await.is_err());
        assert!(UdpSocket::bind((too_long.as_str(), 80)).await.is_err());
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(socket.connect((too_long.as_str(), 80)).await.is_err());
        assert!(socket.send_to(b"", (too_long.as_str(), 80)).await.is_err());
        for no_port in [
            "localhost",
            "127.0.0.1",
            "localhost:",
            "localhost:http",
            "localhost:65536",
        ] {
            let error = lookup_host(no_port).await.err().expect(no_port);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{no_port}");
        }
    });
}

#[test]
fn no_addresses_at_all_are_an_error() {
    run(async {
        let none: [SocketAddr; 0] = [];
        let kind = |error: std::io::Error| error.kind();
        let invalid = ErrorKind::InvalidInput;
        assert_eq!(TcpListener::bind(none).await.map_err(kind).err(), Some(invalid));
        assert_eq!(TcpStream::connect(none).await.map_err(kind).err(), Some(invalid));
        assert_eq!(UdpSocket::bind(none).await.map_err(kind).err(), Some(invalid));
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert_eq!(socket.connect(none).await.map_err(kind), Err(invalid));
        assert_eq!(socket.send_to(b"", none).await.map_err(kind), Err(invalid));
    });
}

#[test]
fn a_look_up_that_is_given_up_disturbs_nobody() {
    run(async {
        for _ in 0..20 {
            let given_up = handspun::spawn(async { lookup_host("localhost:80").await.map(drop) });
            handspun::task::yield_now().await;
            given_up.abort();
            assert!(given_up.await.unwrap_err().is_cancelled());
        }
        assert!(lookup_host("localhost:80").await.unwrap().count() > 0);
    });
}

#[test]
fn a_paused_clock_waits_for_a_look_up_and_for_a_connection() {
    let executor = handspun::executor::Executor::builder().start_paused(true).build();
    executor.block_on(async {
        let hour = Duration::from_secs(3_600);
        let found = handspun::time::timeout(hour, lookup_host("localhost:80")).await;
        assert!(found.expect("the clock does not jump").unwrap().count() > 0);
        let refused = TcpStream::connect(nobodys_address());
        let refused = handspun::time::timeout(hour, refused).await;
        assert!(refused.expect("the clock does not jump").is_err());
    });
}

#[test]
fn looking_a_name_up_where_no_executor_runs_panics() {
    let message = caught(|| poll_once(async { lookup_host("localhost:80").await.map(drop) }));
    let expected = "`look up` was awaited where no executor is running: await it inside a future";
    assert!(message.unwrap_err().starts_with(expected));
    let message = caught(|| poll_once(TcpStream::connect("127.0.0.1:80")).is_ready());
    let expected = "`connect` was awaited where no executor is running: await it inside a future";
    assert!(message.unwrap_err().starts_with(expected));
}

#[test]
fn what_runs_on_a_thread_is_told_with_its_name_and_the_place_of_the_call() {
    let executor = Executor::builder().record(100).build();
    let (listener, address) = listener();
    let (looked_up, connected) = executor.block_on(async {
        drop(lookup_host("localhost:80").await.unwrap());
        let looked_up = line!() - 1;
        TcpStream::connect(address).await.unwrap();
        (looked_up, line!() - 1)
    });
    drop(listener);
    let trace = executor.into_trace();
    let named = trace.records().iter().filter_map(|record| match &record.event {
        Event::Spawned { name, place, .. } => Some((name.as_deref()?, place.file(), place.line())),
        _ => None,
    });
    let expected = [
        ("look up", file!(), looked_up),
        ("connect", file!(), connected),
    ];
    assert_eq!(named.collect::<Vec<_>>(), expected);
}
