#include "check.hpp"

int main() { return topes::test::run_all(); }
