/** Fields to change; what is absent or undefined stays as it is. */
export type Changes<T> = { readonly [Field in keyof T]?: T[Field] | undefined };
