use std::{fs, process::Command};

use tempfile::TempDir;

use super::{buildkit::FILES, verdict};
use crate::{
    cli::{Desk, stderr},
    layout::same,
    peer::{
        BuildKit, Carrier, Cosign, DockerRegistry, Notation, OciServe, binary, push_image, run,
    },
};

/// From a registry without the referrers API over a layout into one that has it, and over an archive
/// back; what
/// skopeo finds in the layout is the image.
#[test]
#[ignore = "needs ociserve, docker-registry and skopeo"]
fn an_image_goes_around_with_its_evidence() {
    let (old, new) = (DockerRegistry::start(), OciServe::start());
    let folder = TempDir::new().unwrap();
    let countersign = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        run(command.args(arguments).current_dir(&folder).env("DOCKER_CONFIG", folder.path()))
    };
    let at = |host: &str, path: &str| format!("{host}/{path}:1.4");
    let (start, middle) = (at(old.host(), "acme/shop"), at(new.host(), "mirror/shop"));
    let digest = push_image(&start, "carried");
    countersign(&["keys", "generate", "--user", "Builder <b@acme.example>", "--out", "builder"]);
    let pinned = format!("{}/acme/shop@{digest}", old.host());
    countersign(&["sign", &pinned, "--key", "builder.key", "--attach"]);

    for (from, to) in [
        (&*start, "oci:stick:shop"),
        ("oci:stick:shop", &*middle),
        (&*middle, "oci-archive:stick.tar:shop"),
        ("oci-archive:stick.tar:shop", &at(new.host(), "unpacked/shop")),
        (&at(new.host(), "unpacked/shop"), &at(old.host(), "back/shop")),
        (&at(old.host(), "back/shop"), &at(old.host(), "beside/shop")),
    ] {
        let copied = countersign(&["copy", from, to]);
        assert_eq!(copied.lines().count(), 2, "{from} → {to}: {copied}");
        assert!(copied.contains(&digest), "{from} → {to}: {copied}");
        // An archive is written once.
        if !to.starts_with("oci-archive:") {
            assert_eq!(countersign(&["copy", from, to]), "", "{from} → {to}: again");
        }
    }

    let mut skopeo = Command::new(binary("skopeo"));
    let seen = run(skopeo.args(["inspect", "--raw", "oci:stick:shop"]).current_dir(&folder));
    assert_eq!(countersign::name::Digest::sha256(seen.as_bytes()).to_string(), digest);

    for image in [&middle, &at(old.host(), "beside/shop")] {
        let removed = countersign(&["detach", image, "--yes"]);
        assert_eq!(removed.lines().count(), 1, "{image}: {removed}");
        assert_eq!(countersign(&["detach", image, "--yes"]), "", "{image}: nothing is left");
    }
}

const SLSA: &str = "https://slsa.dev/provenance/v1";
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// Tools and what they need to hang something of each kind on an image.
struct Makers {
    buildkit: BuildKit,
    cosign: Cosign,
    notation: Notation,
    desk: Desk,
}

impl Makers {
    fn start(registries: &[&str]) -> Self {
        let makers = Self {
            buildkit: BuildKit::start(registries),
            cosign: Cosign::new(),
            notation: Notation::new(),
            desk: Desk::new(),
        };
        for (name, text) in FILES {
            makers.desk.write(name, text);
        }
        makers.desk.write("acme.rego", same::READS);
        makers.cosign.generate("qa");
        fs::copy(makers.cosign.path("qa.pub"), makers.desk.path("qa.pub")).unwrap();
        makers
    }

    /// Builds an image under a tag, and has everybody sign it; its digest.
    fn make(&self, repository: &str) -> String {
        let output = format!("type=image,push=true,name={repository}:1");
        let options = ["--opt", "attest:provenance=mode=max", "--output", &output];
        let built = self.buildkit.build_folder(&self.desk.path("."), &options);
        let digest = built["containerimage.digest"].as_str().unwrap().to_owned();
        let image = format!("{repository}@{digest}");
        for carrier in [Carrier::Bundle, Carrier::Tags] {
            self.cosign.sign("qa", carrier, &image);
            self.cosign.attest("qa", carrier, "slsaprovenance1", "{}", &image);
        }
        self.notation.sign(&image);
        self.countersign(&["sign", &image, "--key", "builder.key", "--attach"]);
        digest
    }

    fn countersign(&self, arguments: &[&str]) {
        let output = self.desk.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    }

    /// What the gate makes of an image that was signed as one of `signed`: what counts, what does
    /// not, and what the index says.
    fn judge(&self, registries: &[&str], image: &str, signed: &str) -> Judged {
        let (repository, _) = image.split_once('@').unwrap();
        let embedded = format!("[simple-signing, \"embedded:{SLSA}\"]");
        let authorities = format!(
            r#"{{name: builder, keys: [{{openpgp: builder.asc}}], attests: {embedded}, identities: {{"{repository}": "{signed}"}}}}, {{name: qa, keys: [{{pkix: qa.pub}}], attests: [simple-signing, "{SIGN}", "{SLSA}"], identity: digest}}"#
        );
        let rules = "{use: attested, parameters: {authorities: [builder, qa]}}, {use: built, parameters: {authorities: [builder]}}";
        verdict::configure(&self.desk, registries, &authorities, rules);
        let said = verdict::ask(&self.desk, image);
        let told = same::told(&verdict::evidence(&self.desk, image));
        let statements = told.iter().map(|platform| platform["statements"].clone()).collect();
        assert!(said.allowed, "{image}: {said:#?}");
        (said.counts, said.rejected, statements)
    }

    /// Whether those who signed an image find their signatures good.
    fn verify(&self, image: &str) {
        for carrier in [Carrier::Bundle, Carrier::Tags] {
            self.cosign.verify("qa", carrier, image).unwrap();
            self.cosign.verify_attestation("qa", carrier, "slsaprovenance1", image).unwrap();
        }
        self.notation.verify(image).unwrap();
    }
}

type Judged = (Vec<String>, Vec<String>, Vec<serde_json::Value>);

/// Straight, over a stick and in an archive, into a registry that lists referrers and into one that does not.
#[test]
#[ignore = "needs buildkitd, cosign, notation, ociserve and docker-registry"]
fn what_every_tool_hung_on_an_image_verifies_where_it_was_carried() {
    let (new, old) = (OciServe::start(), DockerRegistry::start());
    let hosts = [new.host(), old.host()];
    let makers = Makers::start(&hosts);
    for (from, to) in [(new.host(), old.host()), (old.host(), new.host())] {
        let near = format!("{from}/acme/shop");
        let digest = makers.make(&near);
        let want = makers.judge(&hosts, &format!("{near}@{digest}"), &near);
        let sources: Vec<_> = want.0.iter().map(String::as_str).collect();
        let expected = [
            "builder referrers simple-signing".to_owned(),
            format!("qa referrers {SIGN}"),
            format!("qa referrers {SLSA}"),
            format!("qa tags {SLSA}"),
            "qa tags simple-signing".to_owned(),
        ];
        assert_eq!(sources, expected, "{near}");
        assert_eq!(want.1, ["referrers notation signature.certificate"], "{near}");
        assert_eq!(want.2[0][0]["authority"], "builder", "{near}");

        let (image, straight) = (format!("{near}:1"), format!("{to}/straight/shop"));
        let carried = format!("{to}/carried/shop");
        let stick = format!("oci:stick-{}:shop", from.replace(':', "-"));
        makers.countersign(&["copy", &image, &straight]);
        makers.countersign(&["copy", &image, &stick]);
        makers.countersign(&["copy", &stick, &format!("{carried}:1")]);
        let packed = format!("{to}/packed/shop");
        let tar = format!("oci-archive:stick-{}.tar:shop", from.replace(':', "-"));
        makers.countersign(&["copy", &image, &tar]);
        makers.countersign(&["copy", &tar, &format!("{packed}:1")]);
        for repository in [straight, carried, packed] {
            let far = format!("{repository}@{digest}");
            makers.verify(&far);
            assert_eq!(makers.judge(&hosts, &far, &near), want, "{far}");
        }
    }
}
