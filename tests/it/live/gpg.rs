use crate::peer::GnuPg;

#[test]
#[ignore = "needs gpg"]
fn gpg_reads_its_own_messages_and_no_others() {
    let gpg = GnuPg::new();
    let fingerprint = gpg.generate("Acme builder <builder@acme.example>", "ed25519", "1y");
    assert_eq!(fingerprint.len(), 40);
    let mut message = gpg.sign(&fingerprint, &["--sign"], b"payload");
    assert_eq!(gpg.verify(&message).unwrap(), b"payload");

    let reader = GnuPg::new();
    assert!(reader.verify(&message).unwrap_err().contains("No public key"));
    reader.import(&gpg.certificate(&fingerprint));
    reader.verify(&message).unwrap();
    let last = message.len() - 1;
    message[last] ^= 1;
    reader.verify(&message).unwrap_err();
    assert!(gpg.secret_key(&fingerprint).contains("PRIVATE KEY BLOCK"));
}
