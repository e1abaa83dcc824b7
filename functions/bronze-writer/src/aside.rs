use kafka_event::KafkaEvent;
use lake::{
    Admitted, Layout, Reason, Received, Unfit, malformed, object_damaged, object_too_large,
    offset_reused, put_aside,
};

/// A record on its way to quarantine.
#[derive(Clone, Copy)]
pub(crate) enum Aside<'e> {
    /// One that could be read, by its position in the batch.
    Record { position: usize, why: Why<'e> },
    /// One that could not, by its position among those.
    Unreadable(usize),
}

/// Why a record that could be read goes there.
#[derive(Clone, Copy)]
pub(crate) enum Why<'e> {
    Unfit(&'e Unfit),
    OffsetReused,
    ObjectDamaged,
    ObjectTooLarge,
}

impl Aside<'_> {
    /// The record's quarantine object.
    pub(crate) fn object(
        self,
        layout: &Layout,
        event: &KafkaEvent<'_>,
        received: &[Received<'_>],
    ) -> Admitted {
        match self {
            Self::Unreadable(position) => {
                let record = &event.unreadable[position];
                malformed(
                    layout,
                    &record.topic,
                    record.partition,
                    record.offset,
                    record.json,
                    &record.defect,
                )
            }
            Self::Record { position, why } => {
                let received = &received[position];
                match why {
                    Why::Unfit(unfit) => put_aside(layout, received, unfit),
                    Why::OffsetReused => offset_reused(layout, received),
                    Why::ObjectDamaged => object_damaged(layout, received),
                    Why::ObjectTooLarge => object_too_large(layout, received),
                }
            }
        }
    }

    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Unreadable(_) => Reason::MalformedRecord,
            Self::Record { why, .. } => match why {
                Why::Unfit(unfit) => Reason::of(unfit),
                Why::OffsetReused => Reason::OffsetReused,
                Why::ObjectDamaged => Reason::ObjectDamaged,
                Why::ObjectTooLarge => Reason::ObjectTooLarge,
            },
        }
    }
}
