package dev.vllmmlx.mlx.batched;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;

/** Of constrained answers, by a validator that knows nothing of masks. */
final class Judge {
  private static final SchemaRegistry VALIDATOR =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private Judge() {}

  /**
   * @param answer what to say if it is not valid
   */
  static void assertValid(String schema, String json, String answer) {
    assertThat(VALIDATOR.getSchema(schema).validate(json, InputFormat.JSON)).as(answer).isEmpty();
  }
}
