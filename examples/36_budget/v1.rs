//! v1 awaits one item after the other. Each is there, so none of these awaits is a place where
//! others have a turn. Next: `v2.rs`.

use crate::peer::Progress;
use handspun::sync::mpsc::UnboundedReceiver;
use std::rc::Rc;

pub async fn drain(mut source: UnboundedReceiver<u32>, progress: Rc<Progress>) {
    while let Some(_item) = source.recv().await {
        progress.drained.update(|drained| drained + 1);
    }
}
