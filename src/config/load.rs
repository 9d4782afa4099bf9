//! Files to text: the one part of `config` that reads.
//!
//! A path is a file, a directory (its `*.yaml` and `*.yml`, not those of directories in it, so that policy tests can
//! stand beside the policies) or a pattern with `*` and `?` in it. What cannot be read is a diagnostic.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Code, Diagnostics, Sink, SourceFile};
use super::yaml::FILE_BYTES_MAX;

/// Reads policy files. A directory or pattern without files is an error: nobody names one to load nothing.
pub fn policy_files(paths: &[PathBuf]) -> (Vec<SourceFile>, Diagnostics) {
    let mut reader = Reader::default();
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        for file in reader.expand(path) {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    let files = found.iter().filter_map(|path| reader.read(path)).collect();
    (files, reader.finish())
}

/// Reads one file.
pub fn file(path: &Path) -> (Option<SourceFile>, Diagnostics) {
    let mut reader = Reader::default();
    let file = reader.read(path);
    (file, reader.finish())
}

/// What was wrong, each file by its name.
#[derive(Default)]
struct Reader {
    sink: Sink,
    sources: Vec<SourceFile>,
}

impl Reader {
    fn finish(self) -> Diagnostics {
        Diagnostics::new(self.sources, self.sink.into_entries())
    }

    fn refuse(&mut self, path: &Path, code: Code, message: String) {
        let name = path.display().to_string();
        self.sink.enter(self.sources.len());
        self.sources.push(SourceFile { name, text: String::new() });
        self.sink.error(code, &(0..0), message);
    }

    /// The files that a path names, by name.
    fn expand(&mut self, path: &Path) -> Vec<PathBuf> {
        let files = if path.is_dir() {
            listed(path)
                .map(|entries| entries.into_iter().filter(|entry| is_policy(entry)).collect())
        } else if has_wildcard(path) {
            expanded(path)
        } else {
            return vec![path.to_owned()];
        };
        match files {
            Ok(files) if files.is_empty() => {
                self.refuse(path, Code::Unreadable, "no policy files here".to_owned());
                Vec::new()
            }
            Ok(files) => files,
            Err(error) => {
                self.refuse(path, Code::Unreadable, format!("cannot be read: {error}"));
                Vec::new()
            }
        }
    }

    fn read(&mut self, path: &Path) -> Option<SourceFile> {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.refuse(path, Code::Unreadable, format!("cannot be read: {error}"));
                return None;
            }
        };
        if bytes.len() > FILE_BYTES_MAX {
            let message = format!("the file is larger than {} MiB", FILE_BYTES_MAX / 1024 / 1024);
            self.refuse(path, Code::TooLarge, message);
            return None;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(SourceFile { name: path.display().to_string(), text }),
            Err(error) => {
                self.refuse_bytes(path, error.as_bytes(), error.utf8_error().valid_up_to());
                None
            }
        }
    }

    /// Shows where the first byte stands that is no text.
    fn refuse_bytes(&mut self, path: &Path, bytes: &[u8], valid: usize) {
        let name = path.display().to_string();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let next = text[valid..].chars().next().map_or(0, char::len_utf8);
        self.sink.enter(self.sources.len());
        self.sources.push(SourceFile { name, text });
        self.sink
            .error(Code::NotText, &(valid..valid + next), "this byte is not UTF-8")
            .help("save the file as UTF-8");
    }
}

/// Not more than one byte over the bound, whatever the file grows to meanwhile.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The entries of a directory, by name.
fn listed(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: std::io::Result<Vec<PathBuf>> =
        fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut entries = entries?;
    entries.sort();
    Ok(entries)
}

fn is_policy(path: &Path) -> bool {
    let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    yaml && !hidden && path.is_file()
}

fn has_wildcard(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?'])
}

/// The files that a pattern names, component by component.
fn expanded(pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str().to_string_lossy();
        let is_pattern = matches!(component, Component::Normal(_)) && name.contains(['*', '?']);
        let mut next = Vec::new();
        for base in found {
            if !is_pattern {
                next.push(base.join(component));
                continue;
            }
            let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base.as_path() };
            if !folder.is_dir() {
                continue;
            }
            for entry in listed(folder)? {
                let entry_name = entry.file_name().map(|name| name.to_string_lossy().into_owned());
                let fits = entry_name.as_deref().is_some_and(|entry_name| {
                    !entry_name.starts_with('.') && wildcard_matches(&name, entry_name)
                });
                if fits {
                    next.push(base.join(entry_name.unwrap_or_default()));
                }
            }
        }
        found = next;
    }
    found.retain(|path| path.is_file());
    Ok(found)
}

/// `*` is any run of characters, `?` is one; case counts, as it does in file names.
fn wildcard_matches(pattern: &str, name: &str) -> bool {
    let mut expression = String::from("^");
    for character in pattern.chars() {
        match character {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            plain => expression.push_str(&regex::escape(plain.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    regex::RegexBuilder::new(&expression)
        .dot_matches_new_line(true)
        .build()
        .is_ok_and(|regex| regex.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(diagnostics: &Diagnostics) -> Vec<Code> {
        diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn a_directory_is_its_policy_files_by_name() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(folder.path().join("tests")).expect("a directory");
        for name in ["b.yaml", "a.yml", ".hidden.yaml", "notes.txt", "tests/t.yaml"] {
            fs::write(folder.path().join(name), "version: 1\n").expect("a file");
        }
        let paths = [folder.path().to_owned(), folder.path().join("*.yaml")];
        let (files, diagnostics) = policy_files(&paths);
        assert_eq!(codes(&diagnostics), []);
        let names: Vec<&str> =
            files.iter().filter_map(|file| file.name.rsplit('/').next()).collect();
        assert_eq!(names, ["a.yml", "b.yaml"]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let latin = folder.path().join("latin.yaml");
        fs::write(&latin, b"version: 1\n# J\xfcrgen\n").expect("a file");
        let paths = [folder.path().join("none.yaml"), folder.path().join("no*"), latin];
        let (files, diagnostics) = policy_files(&paths);
        assert!(files.is_empty());
        assert_eq!(codes(&diagnostics), [Code::Unreadable, Code::Unreadable, Code::NotText]);
        let last = diagnostics.iter().last().expect("there are three");
        assert_eq!(
            (diagnostics.position_of(last).line, diagnostics.position_of(last).column),
            (2, 4)
        );
    }

    #[test]
    fn patterns_are_those_of_shells() {
        assert!(wildcard_matches("*.yaml", "a.yaml"));
        assert!(wildcard_matches("a?.y*", "ab.yml"));
        assert!(!wildcard_matches("*.yaml", "a-yaml"));
    }
}
