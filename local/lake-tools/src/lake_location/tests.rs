use std::time::Duration;

use lake::{Compression, Granularity, describe};
use tokio::time::Instant;

use super::*;

fn nowhere_else() -> Environment {
    Environment::default()
}

fn of(data: &Path) -> LakeLocation {
    LakeLocation {
        data: Some(data.to_owned()),
        prefix: "bronze".to_owned(),
        ..LakeLocation::default()
    }
}

/// Leaves a history in `bucket` as a plane does, and gives its layout.
async fn leave(data: &Path, bucket: &str) -> Layout {
    let folder = DataFolder::open(data).unwrap();
    let server = ObjectStore::start(&folder.objects(), 0).await.unwrap();
    let endpoint = Endpoint::embedded(server.endpoint());
    let s3 = connect(Some(&endpoint), bucket).await;
    s3.create_bucket().await.unwrap();
    let granularity = Granularity::new(60_000, 7).unwrap();
    let epoch = folder.epoch();
    let layout = Layout::new("bronze", Some(&epoch), granularity, Compression::Zstd);
    let until = Instant::now() + Duration::from_secs(10);
    describe(&s3, &layout, until).await.unwrap();
    layout
}

#[tokio::test]
async fn the_folder_of_a_run_is_opened_with_the_layout_that_its_last_history_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let absent = of(&data).open(&nowhere_else()).await.err().unwrap();
    assert!(matches!(
        absent,
        LakeLocationError::Folder(DataFolderError::Absent(_))
    ));
    let first = leave(&data, "lake").await;
    let last = leave(&data, "lake").await;
    let lake = of(&data).open(&nowhere_else()).await.unwrap();
    assert_eq!(*lake.layout(), last);
    assert!(lake.location().ends_with("s3/lake/bronze/epoch=2/"));
    drop(lake);
    let earlier = LakeLocation {
        epoch: Some("1".to_owned()),
        ..of(&data)
    };
    let lake = earlier.open(&nowhere_else()).await.unwrap();
    assert_eq!(*lake.layout(), first);
}

#[tokio::test]
async fn a_lake_that_is_not_there_or_not_the_only_one_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(DataFolder::open(&data).unwrap());
    let refusal = async |location: LakeLocation| {
        let error = location.open(&nowhere_else()).await.err().unwrap();
        error.to_string()
    };
    let said = refusal(of(&data)).await;
    assert!(said.contains("there is no history at"), "{said}");
    leave(&data, "lake-a").await;
    let other = LakeLocation {
        epoch: Some("7".to_owned()),
        ..of(&data)
    };
    let said = refusal(other).await;
    assert!(said.contains("lake-a/bronze/epoch=7/"), "{said}");
    leave(&data, "lake-b").await;
    let said = refusal(of(&data)).await;
    assert!(said.contains("(lake-a, lake-b): name one"), "{said}");
}
