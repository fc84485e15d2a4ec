//! Dockerfiles: what `pip install` is told in RUN lines.

/// What a Dockerfile's pip commands install, in order: each requirement, or `-r FILE`, with its
/// line. Words that a shell would fill in are left out.
pub fn containerfile(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut logical = String::new();
    let mut start = 1;
    for (number, physical) in (1_u32..).zip(text.lines()) {
        if logical.is_empty() {
            start = number;
        }
        let trimmed = physical.trim();
        // Comment lines are taken out before lines are joined.
        if trimmed.starts_with('#') {
            continue;
        }
        if let Some(part) = trimmed.strip_suffix('\\') {
            logical.push_str(part);
            logical.push(' ');
            continue;
        }
        logical.push_str(trimmed);
        instruction(&logical, start, &mut found);
        logical.clear();
    }
    instruction(&logical, start, &mut found);
    found
}

fn instruction(text: &str, line: u32, found: &mut Vec<(u32, String)>) {
    let Some(rest) = text
        .get(..4)
        .filter(|word| word.eq_ignore_ascii_case("run "))
        .and_then(|_| text.get(4..))
    else {
        return;
    };
    for command in words(rest).split(|word| matches!(word.as_str(), "&&" | "||" | ";" | "|")) {
        let Some(at) = command.windows(2).position(|pair| {
            let program = pair[0].rsplit('/').next().unwrap_or_default();
            (program.starts_with("pip") && !program.contains('.')) && pair[1] == "install"
        }) else {
            continue;
        };
        let mut arguments = command.iter().skip(at + 2);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "-r" | "--requirement" => {
                    if let Some(file) = arguments.next() {
                        found.push((line, format!("-r {file}")));
                    }
                }
                "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" | "-c"
                | "--constraint" | "-t" | "--target" | "--python" | "--trusted-host" | "-e"
                | "--editable" | "--prefix" | "--root" | "--timeout" | "--retries" | "--proxy"
                | "--cache-dir" | "--only-binary" | "--no-binary" | "--platform" => {
                    arguments.next();
                }
                option if option.starts_with('-') => {}
                path if path.starts_with(['.', '/']) || path.contains('$') => {}
                requirement => found.push((line, requirement.to_owned())),
            }
        }
    }
}

/// The words of a shell command, quotes taken off; separators are words of their own.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut letters = text.chars().peekable();
    let mut end = |word: &mut String| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '&' | '|' | ';') => {
                end(&mut word);
                word.push(letter);
                if letters.peek() == Some(&letter) {
                    word.push(letter);
                    letters.next();
                }
                end(&mut word);
            }
            (None, _) if letter.is_whitespace() => end(&mut word),
            _ => word.push(letter),
        }
    }
    end(&mut word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_commands_are_found_in_run_lines() {
        let text = "FROM python:3.11\nRUN apt-get update && \\\n    # numbers\n    pip install --no-cache-dir torch==2.1.2 'numpy>=1.24' \\\n      -i https://index.example/simple/ && rm -rf /x\nrun python3 -m pip install -r requirements.txt; uv pip install \"scipy<2\" .\nENV A=b\nRUN echo pip install nothing-$X\n";
        let found: Vec<(u32, String)> = containerfile(text);
        let shown: Vec<String> = found
            .iter()
            .map(|(line, text)| format!("{line} {text}"))
            .collect();
        assert_eq!(
            shown,
            [
                "2 torch==2.1.2",
                "2 numpy>=1.24",
                "6 -r requirements.txt",
                "6 scipy<2"
            ]
        );
    }
}
