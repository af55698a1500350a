package dev.vllmmlx.mlx.model;

import dev.vllmmlx.mlx.array.Array;
import dev.vllmmlx.mlx.array.DType;
import dev.vllmmlx.mlx.array.Mlx;
import dev.vllmmlx.mlx.nn.Block;
import dev.vllmmlx.mlx.nn.Embedding;
import dev.vllmmlx.mlx.nn.ForwardPass;
import dev.vllmmlx.mlx.nn.Linear;
import dev.vllmmlx.mlx.nn.RmsNorm;
import dev.vllmmlx.mlx.nn.Rope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Embedding, layers, norm, head: the frame that most families share. */
record Decoder(
    ModelConfig config, Embedding embedding, List<Block> blocks, RmsNorm norm, Linear head)
    implements CausalLanguageModel {

  Decoder {
    blocks = List.copyOf(blocks);
  }

  /** Fills the frame with layers of a family's making, first layer first. */
  static Decoder of(ModelConfig config, Weights weights, Function<LayerWeights, Block> block) {
    var model = weights.at("model");
    var rope = Rope.of(config.rope(), config.headDim());
    var embedding = model.embedding("embed_tokens", config.vocabularySize(), config.hiddenSize());
    var blocks = new ArrayList<Block>();
    for (var layer = 0; layer < config.layers(); layer++) {
      blocks.add(block.apply(new LayerWeights(layer, config, model.at("layers." + layer), rope)));
    }
    var norm = model.rmsNorm("norm", config.hiddenSize(), config.rmsNormEps());
    return new Decoder(config, embedding, blocks, norm, head(config, weights, embedding));
  }

  private static Linear head(ModelConfig config, Weights weights, Embedding embedding) {
    if (config.tiedEmbeddings().orElse(!weights.has("lm_head.weight"))) {
      weights.drop("lm_head");
      return embedding.asLinear();
    }
    return weights.linear("lm_head", config.hiddenSize(), config.vocabularySize(), false);
  }

  @Override
  public DType type() {
    return embedding.type();
  }

  @Override
  public List<KvLayer> kvLayers() {
    return config.windows().stream()
        .map(window -> new KvLayer(config.kvHeads(), config.headDim(), window, type()))
        .toList();
  }

  @Override
  public Array hidden(Array tokenIds, ForwardPass pass) {
    var x = embedding.apply(tokenIds);
    for (var i = 0; i < blocks.size(); i++) {
      var layer = i;
      var rows = x;
      // A prefill's rows take megabytes in each layer: none is held longer than the next needs it.
      x = Mlx.scoped(() -> blocks.get(layer).apply(layer, rows, pass));
      rows.free();
    }
    return norm.apply(x);
  }

  @Override
  public Array logits(Array rows) {
    return head.apply(rows);
  }
}
