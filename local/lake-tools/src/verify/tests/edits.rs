use bytes::Bytes;
use lake::{Compression, object_damaged};
use proptest::prelude::*;

use super::made::{Made, received, record};

/// What may happen to a lake behind its writers' backs. Indices are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Edit {
    RemoveObject,
    RemoveLine,
    DoubleLine,
    SwapLines,
    AlterDigit,
    AlterByte,
    CopyObject,
    RenameObject,
    CutObject,
    PutAside,
    RemoveAside,
    Foreign,
}

fn edit() -> impl Strategy<Value = Edit> {
    use Edit::{
        AlterByte, AlterDigit, CopyObject, CutObject, DoubleLine, Foreign, PutAside, RemoveAside,
        RemoveLine, RemoveObject, RenameObject, SwapLines,
    };
    prop::sample::select(vec![
        RemoveObject,
        RemoveLine,
        DoubleLine,
        SwapLines,
        AlterDigit,
        AlterByte,
        CopyObject,
        RenameObject,
        CutObject,
        PutAside,
        RemoveAside,
        Foreign,
    ])
}

/// Makes one edit; false if the lake has nothing to make it on.
async fn apply(
    made: &Made,
    edit: Edit,
    which: prop::sample::Index,
    at: prop::sample::Index,
) -> bool {
    let bronze = made.bronze();
    let (key, body) = &bronze[which.index(bronze.len())];
    let mut lines: Vec<&str> = body.split_inclusive('\n').collect();
    let line = at.index(lines.len());
    let other_key = key
        .replace("date=", "date=1")
        .replace("lake_symbol=_", "lake_symbol=_X");
    match edit {
        Edit::RemoveObject => made.remove(key),
        Edit::RemoveLine => {
            lines.remove(line);
            made.put(key, lines.concat()).await;
        }
        Edit::DoubleLine => {
            lines.push(lines[line]);
            made.put(key, lines.concat()).await;
        }
        Edit::SwapLines => {
            if lines.len() < 2 {
                return false;
            }
            lines.reverse();
            made.put(key, lines.concat()).await;
        }
        Edit::AlterDigit => {
            let digits: Vec<_> = body
                .char_indices()
                .filter(|(_, c)| c.is_ascii_digit())
                .collect();
            let (index, digit) = digits[at.index(digits.len())];
            let other = if digit == '9' { "8" } else { "9" };
            let mut altered = body.clone();
            altered.replace_range(index..=index, other);
            made.put(key, altered).await;
        }
        Edit::AlterByte => {
            let mut altered = body.clone().into_bytes();
            let index = at.index(altered.len());
            altered[index] ^= 1;
            made.put(key, Bytes::from(altered)).await;
        }
        Edit::CopyObject => made.put(&other_key, body.clone()).await,
        Edit::RenameObject => {
            made.remove(key);
            made.put(&other_key, body.clone()).await;
        }
        Edit::CutObject => {
            let end = at.index(body.len());
            made.put(key, body[..end].to_owned()).await;
        }
        Edit::PutAside => {
            let read = lake::read_line(lake::Version::Two, lines[line].as_bytes()).unwrap();
            let record = record(read.partition, read.offset);
            let aside = received(&record, |received| object_damaged(&made.layout, &received));
            made.put(aside.key.as_str(), aside.body).await;
        }
        Edit::RemoveAside => {
            let aside = made.aside();
            if aside.is_empty() {
                return false;
            }
            made.remove(&aside[at.index(aside.len())].0);
        }
        Edit::Foreign => {
            made.put(&format!("{}x", made.layout.root()), "x").await;
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_right_store_is_exact_and_no_edit_of_it_goes_unseen(
        partitions in 1..3_i32,
        start in 0..5_000_i64,
        length in 1..40_i64,
        edit in edit(),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let made = Made::of(Compression::None, partitions, start..start + length).await;
            prop_assert!(made.verify().await.is_exact());
            prop_assert!(made.verify_alone().await.is_exact());
            if !made.bronze().is_empty() && apply(&made, edit, which, at).await {
                let verdict = made.verify().await;
                prop_assert!(!verdict.is_exact(), "{edit:?}: {verdict}");
            }
            Ok(())
        })?;
    }
}
