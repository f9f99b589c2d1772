//! The steps of a Dockerfile, from what an image's configuration keeps of them.

use serde_json::{Value, json};

/// One step as `layerInfo` has it, from the `created_by` of a history entry.
///
/// Docker's own builder wrote `/bin/sh -c #(nop)  CMD ["x"]`, and `/bin/sh -c …` for RUN; `BuildKit`
/// writes `CMD ["x"]`, and `RUN /bin/sh -c … # buildkit`. What is neither was a RUN of another
/// shell.
pub fn layer_info(created_by: &str) -> Value {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").map_or(text, str::trim_end);
    let shell = text.strip_prefix("/bin/sh -c ");
    let step = match shell.map(str::trim_start) {
        Some(command) => command.strip_prefix("#(nop)").map(str::trim_start),
        None => Some(text),
    };
    let step = step.and_then(|step| {
        let (word, arguments) = step.split_once(char::is_whitespace).unwrap_or((step, ""));
        DIRECTIVES.contains(&word).then_some((word, arguments.trim()))
    });
    let (directive, arguments) = step.unwrap_or(("RUN", shell.unwrap_or(text)));
    json!({"directive": directive, "arguments": arguments})
}

/// `LayerDirective` of Grafeas v1beta1, `proto/v1beta1/image.proto`.
const DIRECTIVES: [&str; 17] = [
    "MAINTAINER",
    "RUN",
    "CMD",
    "LABEL",
    "EXPOSE",
    "ENV",
    "ADD",
    "COPY",
    "ENTRYPOINT",
    "VOLUME",
    "USER",
    "WORKDIR",
    "ARG",
    "ONBUILD",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_both_builders() {
        for (created_by, directive, arguments) in [
            ("/bin/sh -c #(nop)  CMD [\"/bin/sh\"]", "CMD", "[\"/bin/sh\"]"),
            ("/bin/sh -c #(nop) ADD file:fe64 in / ", "ADD", "file:fe64 in /"),
            ("/bin/sh -c apk add curl", "RUN", "apk add curl"),
            ("/bin/sh -c CMD x", "RUN", "CMD x"),
            ("RUN /bin/sh -c apk add curl # buildkit", "RUN", "/bin/sh -c apk add curl"),
            ("COPY /app /app # buildkit", "COPY", "/app /app"),
            ("WORKDIR /srv", "WORKDIR", "/srv"),
            ("|1 VERSION=3 /bin/sh -c make", "RUN", "|1 VERSION=3 /bin/sh -c make"),
            ("bazel build ...", "RUN", "bazel build ..."),
            ("", "RUN", ""),
        ] {
            let want = json!({"directive": directive, "arguments": arguments});
            assert_eq!(layer_info(created_by), want, "{created_by}");
        }
    }
}
