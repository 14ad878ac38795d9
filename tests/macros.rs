//! x
mod support;
use handspun::time::{Duration, sleep};
use handspun::{join, select, try_join};
use support::*;

#[test]
fn smoke() {
    paused(async {
        let (a, b) = join!(async { 1 }, async {
            sleep(Duration::from_secs(1)).await;
            2
        });
        assert_eq!((a, b), (1, 2));
        let () = join!();
        let (x,) = join!(biased; async { "x" },);
        assert_eq!(x, "x");
        let r = try_join!(async { Ok::<_, String>(1) }, async { Err::<u8, _>("no".to_string()) });
        assert_eq!(r, Err("no".to_string()));
        let v = select! {
            Some(mut x) = async { Some(String::from("a")) } => { x.push('b'); x }
            mut y = async { String::from("a") }, if 1 > 2 => { y.push('b'); y },
            _ = sleep(Duration::from_secs(1)) => String::new(),
            else => unreachable!(),
        };
        assert_eq!(v, "ab");
        let v: Result<u8, ()> = async {
            let x = select! {
                biased;
                None = async { Some(3) } => 1,
                Some(x @ 1..=4) = async { Some(3) } => x
            };
            Err::<(), _>(())?;
            Ok(x)
        }
        .await;
        assert!(v.is_err());
    });
}
