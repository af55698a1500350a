package dev.vllmmlx.mlx.load;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The names that tensors of a GGUF file have in checkpoints of Hugging Face and MLX. */
final class GgufNames {

  private static final Pattern IN_LAYER = Pattern.compile("blk\\.(\\d+)\\.(\\w+)\\.(\\w+)");
  private static final Pattern AT_TOP = Pattern.compile("(\\w+)\\.(\\w+)");

  private static final Map<String, String> LAYER_MODULES =
      Map.ofEntries(
          Map.entry("attn_q", "self_attn.q_proj"),
          Map.entry("attn_k", "self_attn.k_proj"),
          Map.entry("attn_v", "self_attn.v_proj"),
          Map.entry("attn_output", "self_attn.o_proj"),
          Map.entry("attn_q_norm", "self_attn.q_norm"),
          Map.entry("attn_k_norm", "self_attn.k_norm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"),
          Map.entry("attn_norm", "input_layernorm"),
          Map.entry("ffn_norm", "post_attention_layernorm"));

  private static final Map<String, String> TOP_MODULES =
      Map.of(
          "token_embd", "model.embed_tokens",
          "output_norm", "model.norm",
          "output", "lm_head");

  private GgufNames() {}

  /** Such as {@code model.layers.0.mlp.up_proj.scales} for {@code blk.0.ffn_up.scales}. */
  static Optional<String> checkpointName(String ggufName) {
    var inLayer = IN_LAYER.matcher(ggufName);
    if (inLayer.matches()) {
      return Optional.ofNullable(LAYER_MODULES.get(inLayer.group(2)))
          .map(
              module ->
                  "model.layers.%s.%s.%s".formatted(inLayer.group(1), module, inLayer.group(3)));
    }
    var atTop = AT_TOP.matcher(ggufName);
    return atTop.matches()
        ? Optional.ofNullable(TOP_MODULES.get(atTop.group(1)))
            .map(module -> module + "." + atTop.group(2))
        : Optional.empty();
  }
}
