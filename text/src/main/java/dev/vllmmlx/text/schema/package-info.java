/**
 * Holds finished JSON against a schema, keyword by keyword: what masks had to leave out is looked
 * at here. Bounded in its work, since both the schema and the text come from outside.
 */
package dev.vllmmlx.text.schema;
