use super::*;

/// A store in memory that several hold, and that can end at a request as a process does that is killed.
#[derive(Clone, Default)]
pub(super) struct Shared {
    pub(super) store: Arc<MemoryStore>,
    pub(super) requests: Arc<AtomicU64>,
    /// The request at which it ends, and whether that one is still carried out.
    pub(super) end: Option<(u64, bool)>,
    /// Called after every write.
    pub(super) written: Option<Look>,
    /// Called before the request with this number.
    pub(super) before: Option<(u64, Look)>,
}

/// What a test does with a store in the midst of a run.
pub(super) type Look = Arc<dyn Fn(&MemoryStore) + Send + Sync>;

fn ended() -> StoreError {
    StoreError::Denied {
        store: "s".to_owned(),
        cause: "ended".into(),
    }
}

impl Shared {
    pub(super) fn of(store: &MemoryStore) -> Self {
        let copy = MemoryStore::default();
        run(async {
            for (key, body) in store.objects() {
                copy.put_if_absent(&key, body).await.unwrap();
            }
        });
        Self {
            store: Arc::new(copy),
            ..Self::default()
        }
    }

    /// The objects, without the marks of partitions: those depend on how a topic was cut.
    pub(super) fn objects(&self) -> BTreeMap<ObjectKey, Bytes> {
        let mut objects = self.store.objects();
        objects.retain(|key, _| !key.as_str().contains("/_partitions/"));
        objects
    }

    /// Whether a request is carried out, and whether its answer comes back.
    fn fate(&self) -> (bool, bool) {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some((at, before)) = &self.before
            && *at == number
        {
            before(&self.store);
        }
        match self.end {
            Some((end, is_done)) if number == end => (is_done, false),
            Some((end, _)) if number > end => (false, false),
            _ => (true, true),
        }
    }

    async fn ask<T>(
        &self,
        is_write: bool,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (is_done, is_answered) = self.fate();
        if !is_done {
            return Err(ended());
        }
        let answer = request.await;
        if is_write && let Some(written) = &self.written {
            written(&self.store);
        }
        if is_answered { answer } else { Err(ended()) }
    }
}

impl PutIf for Shared {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        self.ask(true, self.store.put_if_absent(key, body)).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        self.ask(true, self.store.put_if_match(key, body, etag))
            .await
    }
}

impl Get for Shared {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        self.ask(false, self.store.get_within(key, most)).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let asked = self.store.get_if_changed(key, etag, most);
        self.ask(false, asked).await
    }
}

impl DeleteIf for Shared {
    async fn delete_if_match(&self, key: &ObjectKey, etag: &ETag) -> Result<(), StoreError> {
        self.ask(true, self.store.delete_if_match(key, etag)).await
    }
}

impl List for Shared {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        self.ask(false, self.store.list(prefix, after)).await
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        self.ask(false, self.store.folders(prefix, after)).await
    }
}
