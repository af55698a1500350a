package dev.vllmmlx.text.jinja;

import java.util.Map;

/** {@code self.name}: calling it renders the block. */
record BlockReference(Statement.Block block, Renderer renderer) implements TemplateFunction {
  @Override
  public Object call(Arguments arguments) {
    Signature.of("__call__").bind(arguments);
    return renderer.renderBlock(block);
  }

  /** {@code self} in a template. */
  record Blocks(Map<String, Statement.Block> blocks, Renderer renderer) {
    /** {@link Missing#VALUE} if there is no such block. */
    Object get(Object name) {
      var block = name instanceof String text ? blocks.get(text) : null;
      return block == null ? Missing.VALUE : new BlockReference(block, renderer);
    }
  }
}
