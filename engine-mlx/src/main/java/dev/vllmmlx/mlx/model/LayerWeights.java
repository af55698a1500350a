package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.nn.Attention;
import dev.vllmmlx.mlx.nn.AttentionShape;
import dev.vllmmlx.mlx.nn.RmsNorm;
import dev.vllmmlx.mlx.nn.Rope;
import dev.vllmmlx.mlx.nn.SwiGlu;
import java.util.Optional;

/**
 * One layer's tensors, under the names that most families give them.
 *
 * @param weights seen from {@code model.layers.N}
 */
record LayerWeights(int layer, ModelConfig config, Weights weights, Rope rope) {

  /** A norm over a row. */
  RmsNorm norm(String module) {
    return weights.rmsNorm(module, config.hiddenSize(), config.rmsNormEps());
  }

  /**
   * {@code self_attn}.
   *
   * @param inputBias whether the projections of queries, keys and values have a bias
   * @param outputBias whether that of the output has one
   * @param headNorms whether each head's query and key is normed before it is rotated
   */
  Attention attention(boolean inputBias, boolean outputBias, boolean headNorms) {
    var self = weights.at("self_attn");
    var size = config.hiddenSize();
    var queries = config.heads() * config.headDim();
    var keys = config.kvHeads() * config.headDim();
    return new Attention(
        self.linear("q_proj", size, queries, inputBias),
        self.linear("k_proj", size, keys, inputBias),
        self.linear("v_proj", size, keys, inputBias),
        self.linear("o_proj", queries, size, outputBias),
        new AttentionShape(
            config.heads(),
            config.kvHeads(),
            config.headDim(),
            (float) Math.pow(config.headDim(), -0.5),
            config.windows().get(layer),
            rope,
            headNorm(self, "q_norm", headNorms),
            headNorm(self, "k_norm", headNorms)));
  }

  /** {@code mlp}. */
  SwiGlu feedForward(boolean bias) {
    var mlp = weights.at("mlp");
    var size = config.hiddenSize();
    var inner = config.intermediateSize();
    return new SwiGlu(
        mlp.linear("gate_proj", size, inner, bias),
        mlp.linear("up_proj", size, inner, bias),
        mlp.linear("down_proj", inner, size, bias));
  }

  private Optional<RmsNorm> headNorm(Weights self, String module, boolean wanted) {
    return wanted
        ? Optional.of(self.rmsNorm(module, config.headDim(), config.rmsNormEps()))
        : Optional.empty();
  }
}
