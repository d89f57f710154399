import { UserError } from '@lethe/run';

/** A template that jinja2 would refuse, or that refuses a conversation itself with `raise_exception`. */
export class TemplateError extends UserError {}

/** A construct that jinja2 has and this engine does not; refused, since guessing would render another text. */
export class UnsupportedTemplateError extends TemplateError {
  constructor(what: string) {
    super(
      `${what} cannot be rendered here as jinja2 would; render the conversations elsewhere and prepare them as text`,
    );
  }
}
