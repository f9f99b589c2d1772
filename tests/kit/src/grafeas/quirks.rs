//! What real servers get wrong.

/// How a Grafeas server behaves. The default is the reference server's memory store.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing to be got wrong or not")]
pub struct Quirks {
    /// Applies `resourceUrl="…"` (with `OR`) of the filter; the reference server ignores filters.
    pub honors_filter: bool,
    /// Lists `projects/p1` with everything of `projects/p1-evil` too.
    pub prefix_bleed: bool,
    /// Ends the list after the first page, with no token, though there is more.
    pub early_end: bool,
    /// Never ends: the last page's token leads back to the first.
    pub page_loop: bool,
    /// Every page is empty, with a new token each time.
    pub empty_pages: bool,
    /// Writes out what is empty, as v0.1 did: `"remediation":""`, `"contentHash":null`,
    /// `"nextPageToken":""`, `"occurrences":[]`.
    pub writes_defaults: bool,
    /// Writes `null` for what is empty: `"occurrences":null`, `"nextPageToken":null`,
    /// `"envelope":null`, `"remediation":null`.
    pub nulls: bool,
    /// Leaves `kind` out.
    pub omits_kind: bool,
    /// Lists the occurrences of a note that does not exist as none, instead of 404.
    pub forgiving_notes: bool,
    /// Serves `/v1` too, which the reference server does not.
    pub v1: bool,
    /// No page is longer, whatever `pageSize` asks for.
    pub page_cap: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            honors_filter: false,
            prefix_bleed: false,
            early_end: false,
            page_loop: false,
            empty_pages: false,
            writes_defaults: false,
            nulls: false,
            omits_kind: false,
            forgiving_notes: false,
            v1: true,
            page_cap: 1000,
        }
    }
}
