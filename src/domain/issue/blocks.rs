//! The blocks of code in a Markdown text, by a `CommonMark` parser.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A block of code, as its author wrote it.
pub(super) struct Block {
    /// The code.
    pub(super) code: String,
    /// The words behind the fence, if there are any.
    pub(super) info: Option<String>,
    /// Whether it stands between fences; else it is indented.
    pub(super) fenced: bool,
    /// Whether its fence is closed.
    pub(super) closed: bool,
    /// The line of the text it starts at, counted from 1.
    pub(super) line: u64,
    /// The words right before it, in lower case.
    pub(super) before: String,
}

/// Lists the blocks of code in a Markdown text.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let text = text.replace("\r\n", "\n");
    let mut blocks: Vec<Block> = Vec::new();
    let mut before = String::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(style)) => {
                let line = text[..range.start].matches('\n').count() + 1;
                let (info, fenced) = match style {
                    CodeBlockKind::Fenced(info) => (Some(info.to_string()), true),
                    CodeBlockKind::Indented => (None, false),
                };
                let last = text[range].trim_end().lines().last().unwrap_or_default();
                let last = last.trim_start_matches(['>', ' ', '\t']);
                open = Some(Block {
                    code: String::new(),
                    info: info.filter(|info| !info.trim().is_empty()),
                    fenced,
                    closed: last.starts_with("```") || last.starts_with("~~~"),
                    line: u64::try_from(line).unwrap_or(u64::MAX),
                    before: std::mem::take(&mut before),
                });
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            Event::Start(Tag::Paragraph | Tag::Heading { .. }) => before.clear(),
            Event::Text(part) | Event::Code(part) => match &mut open {
                Some(block) => block.code.push_str(&part),
                None => before.push_str(&part.to_lowercase()),
            },
            // GitHub folds code away behind a summary.
            Event::Html(part) | Event::InlineHtml(part) => {
                if part.contains("<summary") || part.contains("<details") {
                    before.clear();
                }
                before.push_str(&part.to_lowercase());
            }
            Event::SoftBreak | Event::HardBreak => before.push(' '),
            Event::Start(_)
            | Event::End(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    blocks
}
