package dev.vllmmlx.text.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tokens that play a role, as text: what chat templates see as {@code bos_token}, {@code
 * eos_token} and so on.
 *
 * @param roles token text by role name ({@code bos_token}, {@code eos_token}, {@code unk_token},
 *     {@code sep_token}, {@code pad_token}, {@code cls_token}, {@code mask_token} and roles of a
 *     checkpoint's own), in the order found; a role that is not set is absent
 * @param additional special tokens without a role ({@code additional_special_tokens})
 */
public record SpecialTokens(Map<String, String> roles, List<String> additional) {
  public static final SpecialTokens NONE = new SpecialTokens(Map.of(), List.of());

  public SpecialTokens {
    roles = Collections.unmodifiableMap(new LinkedHashMap<>(roles));
    additional = List.copyOf(additional);
  }

  public Optional<String> role(String name) {
    return Optional.ofNullable(roles.get(name));
  }

  public Optional<String> bos() {
    return role("bos_token");
  }

  public Optional<String> eos() {
    return role("eos_token");
  }

  /**
   * The variables a chat template gets: each role that is set, and {@code
   * additional_special_tokens} (a list of text) when there are any.
   */
  public Map<String, Object> templateVariables() {
    var variables = new LinkedHashMap<String, Object>(roles);
    if (!additional.isEmpty()) {
      variables.put("additional_special_tokens", additional);
    }
    return Collections.unmodifiableMap(variables);
  }

  /** Every token named here, once. */
  Set<String> all() {
    var all = new LinkedHashSet<>(roles.values());
    all.addAll(additional);
    return all;
  }

  /** These, with what {@code other} sets taking precedence. */
  SpecialTokens overriddenBy(SpecialTokens other) {
    var merged = new LinkedHashMap<>(roles);
    merged.putAll(other.roles);
    var more = new ArrayList<>(additional);
    other.additional.stream().filter(token -> !more.contains(token)).forEach(more::add);
    return new SpecialTokens(merged, more);
  }
}
