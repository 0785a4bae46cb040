/**
 * Errors whose classes stay where they are travel as errors of the nearest built-in class, with the class's name under
 * this key, which the receiving side takes off again.
 */
export const CLASS_NAME_KEY = "kitchensink.class";
