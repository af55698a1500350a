package dev.vllmmlx.gateway.openai;

import dev.vllmmlx.gateway.pipeline.ApiError;
import dev.vllmmlx.gateway.pipeline.ApiException;
import dev.vllmmlx.spi.Constraint;
import dev.vllmmlx.spi.ModelInfo;
import dev.vllmmlx.spi.Sampling;
import dev.vllmmlx.spi.StopConditions;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** The fields that chat completions and completions share: sampling, ends, and how to reply. */
final class GenerationFields {
  static final int MOST_CHOICES = 128;
  private static final int MOST_STOPS = 16;
  private static final int MOST_TOP_LOGPROBS = 20;

  private final Fields fields;
  private final ModelInfo model;

  GenerationFields(Fields fields, ModelInfo model) {
    this.fields = fields;
    this.model = model;
  }

  Sampling sampling() {
    var defaults = model.defaults();
    return new Sampling(
        (float) fields.number("temperature", 0, true, 2).orElse(defaults.temperature()),
        (float) fields.number("top_p", 0, false, 1).orElse(defaults.topP()),
        Math.max(0, fields.integer("top_k", -1, Integer.MAX_VALUE).orElse(defaults.topK())),
        (float) fields.number("min_p", 0, true, 1).orElse(defaults.minP()),
        (float)
            fields
                .number("repetition_penalty", 0, false, Float.MAX_VALUE)
                .orElse(defaults.repetitionPenalty()),
        (float) fields.number("presence_penalty", -2, true, 2).orElse(defaults.presencePenalty()),
        (float) fields.number("frequency_penalty", -2, true, 2).orElse(defaults.frequencyPenalty()),
        logitBias(),
        fields.wholeNumber("seed", Long.MIN_VALUE, Long.MAX_VALUE));
  }

  StopConditions stop(OptionalInt asked, int maxTokens) {
    var most = asked.orElse(maxTokens);
    var least = fields.integer("min_tokens", 0, Integer.MAX_VALUE).orElse(0);
    if (least > most) {
      throw fields.invalid(
          "min_tokens", "is %d, more than the %d tokens allowed".formatted(least, most));
    }
    return new StopConditions(
        most, least, stopStrings(), stopTokens(), fields.flag("ignore_eos", false));
  }

  int choices() {
    var choices = fields.integer("n", 1, MOST_CHOICES).orElse(1);
    fields.refuseUnless(
        "best_of",
        " unless it equals n",
        value ->
            value.isIntegralNumber() && value.canConvertToInt() && value.intValue() == choices);
    return choices;
  }

  OptionalInt topLogprobs(String name) {
    return fields.integer(name, 0, MOST_TOP_LOGPROBS);
  }

  boolean stream() {
    return fields.flag("stream", false);
  }

  boolean includeUsage(boolean stream) {
    var options = fields.object("stream_options");
    if (options.isEmpty()) {
      return false;
    }
    if (!stream) {
      throw fields.invalid("stream_options", "is for streams, and stream is not true");
    }
    var usage = options.get().flag("include_usage", false);
    options.get().refuseUnless("continuous_usage_stats", "", GenerationFields::isFalse);
    options.get().accept("include_obfuscation");
    return usage;
  }

  Optional<Duration> timeout(Optional<Duration> byDefault) {
    var seconds = fields.number("timeout", 0, false, 86_400);
    return seconds.isEmpty()
        ? byDefault
        : Optional.of(Duration.ofMillis(Math.max(1, Math.round(seconds.getAsDouble() * 1000))));
  }

  int priority() {
    return fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE).orElse(0);
  }

  /** An answer that must be something ends when it is that. */
  void checkEnds(StopConditions stop, Constraint constraint) {
    if (stop.ignoreEos() && !(constraint instanceof Constraint.None)) {
      throw fields.invalid("ignore_eos", "would have the answer go on after it is what it must be");
    }
  }

  /** What both dialects know and either need not heed or cannot do. */
  void settleTheRest() {
    fields.accept("model", "user", "metadata", "safety_identifier", "prompt_cache_key");
    fields.accept("prompt_cache_retention");
    fields.refuseUnless("store", " unless false", GenerationFields::isFalse);
    fields.refuseUnless(
        "service_tier",
        " unless auto or default",
        value -> value.isString() && Set.of("auto", "default").contains(value.stringValue()));
    fields.refuseUnless("include_stop_str_in_output", " unless false", GenerationFields::isFalse);
    fields.refuseUnless("skip_special_tokens", " unless true", GenerationFields::isTrue);
    fields.refuseUnless("spaces_between_special_tokens", "", JsonNode::isBoolean);
    fields.refuseUnless("use_beam_search", " unless false", GenerationFields::isFalse);
    fields.refuseUnless(
        "length_penalty", " unless 1", value -> value.isNumber() && value.doubleValue() == 1);
    fields.refuse("bad_words", "allowed_token_ids", "prompt_logprobs", "truncate_prompt_tokens");
    fields.refuse("logits_processors", "typical_p", "tfs_z", "mirostat");
    fields.refuse("xtc_probability", "dry_multiplier", "adapters", "draft_model");
  }

  static boolean isTrue(JsonNode value) {
    return value.isBoolean() && value.booleanValue();
  }

  static boolean isFalse(JsonNode value) {
    return value.isBoolean() && !value.booleanValue();
  }

  private List<String> stopStrings() {
    var node = fields.node("stop");
    if (node.isEmpty()) {
      return List.of();
    }
    var strings = new LinkedHashSet<String>();
    if (node.get().isString()) {
      strings.add(node.get().stringValue());
    } else if (node.get().isArray()) {
      for (var item : node.get()) {
        if (!item.isString()) {
          throw fields.wrongType("stop", "a string or a list of strings", item);
        }
        strings.add(item.stringValue());
      }
    } else {
      throw fields.wrongType("stop", "a string or a list of strings", node.get());
    }
    if (strings.contains("")) {
      throw fields.invalid("stop", "holds an empty string, which is everywhere");
    }
    if (strings.size() > MOST_STOPS) {
      throw fields.invalid(
          "stop",
          "holds %d strings, and at most %d".formatted(strings.size(), MOST_STOPS) + " work");
    }
    return List.copyOf(strings);
  }

  private Set<Integer> stopTokens() {
    var ids = new HashSet<Integer>();
    fields
        .list("stop_token_ids")
        .ifPresent(
            list -> {
              for (var item : list) {
                ids.add(tokenId("stop_token_ids", item));
              }
            });
    return ids;
  }

  /** An id of the vocabulary. */
  int tokenId(String name, JsonNode item) {
    if (!item.isIntegralNumber()) {
      throw fields.wrongType(name, "token ids", item);
    }
    if (!item.canConvertToInt()
        || item.intValue() < 0
        || item.intValue() >= model.vocabularySize()) {
      throw fields.invalid(
          name,
          "holds %s, and this model's token ids are from 0 to %d"
              .formatted(item, model.vocabularySize() - 1));
    }
    return item.intValue();
  }

  private Map<Integer, Float> logitBias() {
    var node = fields.node("logit_bias");
    if (node.isEmpty()) {
      return Map.of();
    }
    if (!node.get().isObject()) {
      throw fields.wrongType("logit_bias", "an object of token ids and biases", node.get());
    }
    var biases = new LinkedHashMap<Integer, Float>();
    for (var entry : node.get().properties()) {
      int id;
      try {
        id = Integer.parseInt(entry.getKey());
      } catch (NumberFormatException _) {
        throw new ApiException(
            ApiError.invalid(
                "logit_bias", "logit_bias: \"%s\" is no token id".formatted(entry.getKey())));
      }
      if (id < 0 || id >= model.vocabularySize()) {
        throw fields.invalid(
            "logit_bias",
            "names token %d, and this model's token ids are from 0 to %d"
                .formatted(id, model.vocabularySize() - 1));
      }
      var bias = entry.getValue();
      if (!bias.isNumber() || !(Math.abs(bias.doubleValue()) <= 100)) {
        throw fields.invalid(
            "logit_bias", "of token %d must be a number from -100 to 100".formatted(id));
      }
      biases.put(id, (float) bias.doubleValue());
    }
    return biases;
  }
}
