//! Addresses, given as such or as names that have to be looked up.
//!
//! Looking a name up blocks: the system's resolver has no other way. So it is done by
//! [`spawn_blocking`](crate::task::spawn_blocking), on another thread. What is an address already,
//! also one that is written as text, costs nothing.
//!
//! Next: `net/tcp/stream.rs`.

use crate::executor::scheduler::try_current;
use crate::task::blocking::spawn_for;
use sealed::Sealed;
use std::future::Future;
use std::io;
use std::net::{self, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::panic::Location;

/// What can be turned into addresses: an address, an IP address and a port, or a host's name and a
/// port, as `("localhost", 80)` or `"localhost:80"`.
///
/// It is implemented for the types for which `std::net::ToSocketAddrs` is, and cannot be
/// implemented for others.
pub trait ToSocketAddrs: sealed::Sealed {}

/// Looks up a host's addresses, on a thread for blocking work.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// handspun::block_on(async {
///     for address in handspun::net::lookup_host("127.0.0.1:80").await? {
///         assert_eq!(address.port(), 80);
///     }
///     Ok(())
/// })
/// # }
/// ```
///
/// # Errors
/// If the name cannot be resolved.
///
/// # Panics
/// If a name has to be looked up and no executor runs on this thread.
///
/// # Cancel safety
/// Cancel safe. A look-up that has begun goes on, and nobody is told.
#[track_caller]
pub fn lookup_host<A: ToSocketAddrs>(
    host: A,
) -> impl Future<Output = io::Result<impl Iterator<Item = SocketAddr>>> {
    let place = Location::caller();
    async move { Ok(addresses(host, place).await?.into_iter()) }
}

/// The addresses of a host. There may be none.
pub(super) async fn addresses<A: ToSocketAddrs>(
    host: A,
    place: Place,
) -> io::Result<Vec<SocketAddr>> {
    match host.target() {
        Target::Known(addresses) => Ok(addresses),
        Target::Named(host, port) => {
            blocking(LOOK_UP, place, move || resolve((host.as_str(), port))).await
        }
        Target::Text(text) => blocking(LOOK_UP, place, move || resolve(text.as_str())).await,
    }
}

/// Where the user's code has called one of these.
type Place = &'static Location<'static>;

const LOOK_UP: &str = "look up";

fn resolve(host: impl net::ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    Ok(host.to_socket_addrs()?.collect())
}

/// The answer of a call that blocks. To reports its task is called by this name, and was spawned at
/// this place.
pub(super) async fn blocking<T: Send + 'static>(
    name: &str,
    place: Place,
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if try_current(|_| ()).is_none() {
        panic!(
            "`{name}` was awaited where no executor is running: await it inside a future that \
             `handspun::block_on` runs"
        );
    }
    // It is over without an answer only if the executor is shutting down.
    let task = spawn_for(call, name, place);
    task.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// What is to be looked up.
pub enum Target {
    Known(Vec<SocketAddr>),
    Named(String, u16),
    Text(String),
}

mod sealed {
    /// Nobody else can name this, so nobody else can implement what asks for it.
    pub trait Sealed {
        fn target(&self) -> super::Target;
    }
}

impl<A: ToSocketAddrs + ?Sized> ToSocketAddrs for &A {}
impl<A: ToSocketAddrs + ?Sized> Sealed for &A {
    fn target(&self) -> Target {
        (**self).target()
    }
}

impl ToSocketAddrs for [SocketAddr] {}
impl Sealed for [SocketAddr] {
    fn target(&self) -> Target {
        Target::Known(self.to_vec())
    }
}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {}
impl<const N: usize> Sealed for [SocketAddr; N] {
    fn target(&self) -> Target {
        Target::Known(self.to_vec())
    }
}

impl ToSocketAddrs for str {}
impl Sealed for str {
    fn target(&self) -> Target {
        match self.parse() {
            Ok(address) => Target::Known(vec![address]),
            Err(_) => Target::Text(self.to_string()),
        }
    }
}

impl ToSocketAddrs for String {}
impl Sealed for String {
    fn target(&self) -> Target {
        self.as_str().target()
    }
}

impl ToSocketAddrs for (&str, u16) {}
impl Sealed for (&str, u16) {
    fn target(&self) -> Target {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(host) => (host, port).target(),
            Err(_) => Target::Named(host.to_string(), port),
        }
    }
}

impl ToSocketAddrs for (String, u16) {}
impl Sealed for (String, u16) {
    fn target(&self) -> Target {
        (self.0.as_str(), self.1).target()
    }
}

/// What is an address already.
macro_rules! known {
    ($($known:ty),*) => {$(
        impl ToSocketAddrs for $known {}
        impl Sealed for $known {
            fn target(&self) -> Target {
                Target::Known(vec![SocketAddr::from(*self)])
            }
        }
    )*};
}

known!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));
