//! Configurations as most tests write them: registries over plain HTTP, one store, one policy.

/// A configuration for what lies in the registries at `hosts`: what the `authorities` sign counts,
/// and the policy `name` enforces the `rules`, all in flow style.
pub fn configuration(hosts: &[&str], authorities: &str, name: &str, rules: &str) -> String {
    let list = |entry: fn(&str) -> String| {
        hosts.iter().map(|host| entry(host)).collect::<Vec<_>>().join(", ")
    };
    let allow = list(|host| format!("\"{host}/**\""));
    let hosts = list(|host| format!("{{host: \"{host}\", plainHttp: true}}"));
    format!(
        "registries: {{allow: [{allow}], hosts: [{hosts}]}}\n\
         authorities: [{authorities}]\n\
         policies: [{{name: {name}, match: {{}}, rules: [{rules}], mode: enforce}}]\n\
         unmatched: deny\n"
    )
}

/// A configuration in which the authority `name` has these members, and must attest what lies in
/// the registry at `host`.
pub fn attesting(host: &str, name: &str, members: &str) -> String {
    let rule = format!("{{use: attested, parameters: {{authorities: [{name}]}}}}");
    configuration(&[host], &authority(name, members), "attested", &rule)
}

/// The authority `name` with its key and these members.
pub fn authority(name: &str, members: &str) -> String {
    format!("{{name: {name}, keys: [{{openpgp: {name}.asc}}], {members}}}")
}

/// Of an authority: its signatures cover image IDs, and the gate compares the layers.
pub const IMAGE_ID: &str = "attests: [image-id], identity: digest, layersCheckedBy: gate";

/// The line for the Grafeas server at `url`.
pub fn stores(url: &str) -> String {
    grafeas(url, "")
}

/// The same, where rules may read records.
pub fn stores_with_records(url: &str) -> String {
    grafeas(url, ", records: [\"projects/build/notes/*\"]")
}

fn grafeas(url: &str, members: &str) -> String {
    format!(
        "stores: [{{name: grafeas, url: \"{url}\", api: v1beta1, project: projects/build{members}}}]\n"
    )
}
