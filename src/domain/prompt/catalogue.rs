//! Finding templates: in the user's own folder, or among those built in.

use super::{Error, template::Template};
use crate::{
    contract::Name,
    system::{Context, files},
};

/// The largest template, in bytes.
const LIMIT: u64 = 1 << 20;

/// Finds a template: `templates/<name>.md` beside the configuration file, else one that is built in.
pub(crate) fn template(context: &Context, name: &Name) -> Result<Template, Error> {
    let file = context.environment().configuration_file();
    let folder = file.with_file_name("templates");
    let path = folder.join(format!("{name}.md"));
    let unreadable = |reason: String| Error::Unreadable {
        path: path.display().to_string(),
        reason,
    };
    match files::read_regular(&path, LIMIT) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
            Ok(Template {
                name: path.display().to_string(),
                text,
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Template::built_in(name.as_str()).ok_or_else(|| {
                let there = files::names_in(&folder).unwrap_or_default();
                let mut known: Vec<String> = there
                    .iter()
                    .filter_map(|file| Some(file.to_str()?.strip_suffix(".md")?.to_owned()))
                    .filter(|name| Name::new(name.as_str()).is_ok())
                    .chain(Template::BUILT_IN.iter().map(|&name| name.to_owned()))
                    .collect();
                known.sort();
                known.dedup();
                Error::Unknown {
                    name: name.to_string(),
                    known,
                }
            })
        }
        Err(error) => Err(unreadable(error.to_string())),
    }
}
