package dev.vllmmlx.text;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;

/** A judge of JSON that knows nothing of masks. */
public final class IndependentValidator {
  private IndependentValidator() {}

  /** A validator for a JSON Schema of the latest draft. */
  public static Schema of(String schema) {
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(schema);
  }
}
