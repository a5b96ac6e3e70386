/* A program of the project's own, which nmrcheck must leave as it is: the warnings, the standard, the size of wchar_t. */
int main(void)
{
    int unused;
    return sizeof(__WCHAR_TYPE__) != 4;
}
