//! What evidence says, whatever carried it: payloads and the codecs of their carriers.
